import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { applyPayments } from './support/company.ts'
import { apply, ok } from './support/kubectl.ts'
import { probeAgent } from './support/probe.ts'
import { intentsIn, receiptName, receiptsOf, resultsIn } from './support/receipts.ts'
import { printedBy, serve } from './support/serve.ts'
import { dropNamespaces, makeNamespace } from './support/world.ts'

const KEY = 'sk-e2e-4f1c9a'
interface Answer {
  status: number
  text: string
  receipt: string | null
  /** Milliseconds at which pieces of it arrived. */
  pieces: number[]
}
interface Seen {
  env: Record<string, string>
  whole: Answer
  streamed: Answer
  unknown: Answer
}
let ns: string
let seen: Seen

/** Runs inside of the agent container: what an SDK does with its environment. */
const TALK = `
const ask = async (base, stream) => {
  const answer = await fetch(base + '/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer ' + process.env.OPENAI_API_KEY, cookie: 'a=b' },
    body: JSON.stringify({ model: 'tiny', stream, messages: [{ role: 'user', content: 'may I pay this back' }] }),
  })
  const pieces = [], decoder = new TextDecoder()
  let text = ''
  for await (const chunk of answer.body) { pieces.push(Date.now()); text += decoder.decode(chunk, { stream: true }) }
  return { status: answer.status, text, receipt: answer.headers.get('remit-receipt'), pieces }
}
const base = process.env.OPENAI_BASE_URL
report({
  env: process.env, whole: await ask(base, false), streamed: await ask(base, true),
  unknown: await ask(base.replace('/llm/main', '/llm/other'), false),
})`

beforeAll(async () => {
  ns = await makeNamespace('model')
  await applyPayments(ns)
  await apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'model-key', namespace: ns },
    stringData: { key: KEY },
  })
  await serve(ns, 'model', [{ name: 'MODEL_KEY', value: KEY }])
  const models = [
    {
      name: 'main',
      service: { name: 'model', port: 8080, path: '/v1' },
      credentialRef: { name: 'model-key', key: 'key' },
    },
  ]
  seen = await probeAgent<Seen>({ name: 'talker', namespace: ns, spec: { servers: [], models } }, TALK, null)
  expect(seen).not.toHaveProperty('failed')
}, 180_000)
afterAll(() => dropNamespaces(ns))

test("the agent's SDK finds its model on loopback, and a key that is none", () => {
  expect(seen.env).toMatchObject({ OPENAI_BASE_URL: 'http://127.0.0.1:7480/llm/main', OPENAI_API_KEY: 'remit' })
  expect(JSON.stringify(seen)).not.toContain(KEY)
})

test('an answer comes as the model gave it, whole or word by word as it is said', () => {
  expect(seen.whole.status).toBe(200)
  expect(JSON.parse(seen.whole.text)).toMatchObject({
    choices: [{ message: { content: 'You said: may I pay this back' } }],
  })
  expect(seen.streamed.status).toBe(200)
  expect(seen.streamed.text.trimEnd().split('\n\n').at(-1)).toBe('data: [DONE]')
  // Seven words, 150 ms between each.
  expect(seen.streamed.pieces.length).toBeGreaterThanOrEqual(5)
  expect(seen.streamed.pieces.at(-1)! - seen.streamed.pieces[0]!).toBeGreaterThan(500)
})

test('the server was shown the credential, and nothing of the agent’s own', async () => {
  const asked = (await printedBy<{ known?: boolean; headers?: string[] }>(ns, 'model')).filter(({ headers }) => headers)
  expect(asked.map(({ known }) => known)).toEqual([true, true])
  expect(asked.flatMap(({ headers }) => headers)).not.toContain('cookie')
})

test('a model it does not declare is not reached', () => {
  expect(seen.unknown.status).toBe(404)
  expect(JSON.parse(seen.unknown.text).error).toMatchObject({
    code: 'UnknownModel',
    message: expect.stringContaining('other'),
  })
})

test('each call is recorded with the model that answered and its tokens', async () => {
  const [intents, results] = await eventually(async () => {
    const receipts = await receiptsOf(ns, 'talker')
    const results = resultsIn(receipts)
    return results.length === 2 ? ([intentsIn(receipts), results] as const) : undefined
  })
  for (const { status, receipt } of [seen.whole, seen.streamed]) {
    const intent = intents.find(({ envelope }) => receiptName(envelope) === receipt)
    expect(intent?.body).toMatchObject({
      call: { type: 'model', model: 'main', method: 'POST', path: '/chat/completions', requestedModel: 'tiny' },
      decision: { effect: 'Allow' },
    })
    expect(results.find(({ body }) => body.intent === receipt)?.body).toMatchObject({
      outcome: 'ok',
      model: { status, responseModel: 'tiny-2026-11-01', inputTokens: 5, outputTokens: 7 },
    })
  }
  expect(await ok(['get', 'receipts', '-n', ns])).toMatch(/talker +model main +ok/)
  expect(JSON.stringify(intents)).not.toContain(KEY)
})

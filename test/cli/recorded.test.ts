import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CallRecord, type IntentBody, type Receipt, receiptName } from '../../lib/api/receipt.ts'
import { segmentName } from '../../sidecar/spool/files.ts'
import { newChain } from '../ledger/chain.ts'
import { type Bundle, buildBundle } from './bundle.ts'

let bundle: Bundle
let data: string
const receipts: Receipt[] = []
const named = (index: number): string => receiptName((receipts[index] as Receipt).envelope)
const remit = async (...args: string[]) => {
  const { code, stdout, stderr } = await bundle.remit([...args, '--data', data])
  return { code, text: stdout.trimEnd(), stderr }
}

beforeAll(async () => {
  bundle = await buildBundle()
  const chain = newChain({ namespace: 'payments', name: 'bot', id: 'id' }, { name: 'pod', uid: 'uid' })
  const start = Date.now() - 60_000
  const seed = newChain({ namespace: 'payments', name: 'bot', id: 'id' }, { name: 'pod', uid: 'uid' }).intent()
  const called = (call: object): Receipt => {
    const digest = { argumentsDigest: 'ab'.repeat(32), argumentsBytes: 2 }
    const body: IntentBody = {
      ...(seed.body as IntentBody),
      call: { server: 'docs', ...digest, ...call } as CallRecord,
    }
    return chain.next(body, start + receipts.length)
  }
  receipts.push(chain.first)
  receipts.push(
    called({ type: 'resource', method: 'resources/read', name: 'file:///handbook/a.md', arguments: { uri: 'x' } }),
    called({ type: 'prompt', method: 'prompts/get', name: 'summarize', arguments: { length: 'short' } }),
    called({
      type: 'request',
      method: 'elicitation/create',
      name: 'elicitation/create',
      arguments: { message: 'Where to?' },
    }),
    called({ type: 'completion', method: 'completion/complete', name: 'summarize', arguments: {} }),
    called({ type: 'task', method: 'tasks/result', name: 't-1', intent: 'abcdefabcdef-7' }),
  )
  receipts.push(chain.result(receipts[1] as Receipt, 'ok', start + 100))
  data = join(bundle.dir, 'data')
  mkdirSync(data)
  const lines = receipts.map((receipt) => `${JSON.stringify(receipt)}\n`)
  writeFileSync(join(data, segmentName(1, chain.incarnation)), lines.join(''))
})
afterAll(() => bundle?.close())

test('timeline has a row for each, in plain words', async () => {
  const { code, text } = await remit('timeline')
  expect(code).toBe(0)
  expect(text.split('\n')).toEqual([
    expect.stringMatching(/^TIME/),
    expect.stringMatching(/sidecar started in pod$/),
    expect.stringMatching(/Allow +ok +.* resource file:\/\/\/handbook\/a\.md of docs$/),
    expect.stringMatching(/Allow +under way +.* prompt summarize of docs \{"length":"short"\}$/),
    expect.stringMatching(/Allow +under way +.* docs asks the agent: elicitation\/create \{"message":"Where to\?"\}$/),
    expect.stringMatching(/Allow +under way +.* completion summarize of docs$/),
    expect.stringMatching(/Allow +under way +.* task t-1 of docs \(tasks\/result\)$/),
  ])
})

test('why tells what it was, and what began a task', async () => {
  expect((await remit('why', named(1))).text).toContain('What      resource file:///handbook/a.md of docs')
  expect((await remit('why', named(5))).text).toContain('Begun by  abcdefabcdef-7')
})

test('suggest allows it, and says what it cannot know', async () => {
  const { text } = await remit('policy', 'suggest')
  expect(text.split('\n').slice(0, 4)).toEqual([
    '# Written from 5 recorded calls. Read every rule before you apply it:',
    '# it allows what was done, which is not always what should be done.',
    '# What the agent answered to servers is not recorded: say under answer what may leave.',
    '# 2 completions and tasks need no rules of their own.',
  ])
  expect(load(text)).toMatchObject({
    spec: {
      resources: [{ match: { servers: ['docs'], uris: ['file:///handbook/a.md'] }, effect: 'Allow' }],
      prompts: [{ match: { prompts: ['summarize'] }, where: [{ arg: 'length', in: ['short'] }] }],
      requests: [{ match: { methods: ['elicitation/create'] }, where: [{ arg: 'mode', in: ['form'] }] }],
    },
  })
})

test('replay decides it by a candidate', async () => {
  const file = bundle.write(
    'candidate.yaml',
    'apiVersion: remit.dev/v1alpha1\nkind: AgentPolicy\nmetadata: {name: docs}\nspec: {resources: [{name: r, match: {uris: ["file:///*"]}, effect: Allow}]}\n',
  )
  const { text } = await remit('policy', 'replay', '--policy', file, '-o', 'json')
  expect(JSON.parse(text)).toMatchObject({
    calls: 5,
    replayed: 3,
    cannotBeReplayed: {
      'that complete an argument, which whatever is offered may': 1,
      'of tasks, which go by the call that began them': 1,
    },
    changed: [
      { server: 'docs', prompt: 'summarize', wider: false },
      { server: 'docs', request: 'elicitation/create', wider: false },
    ],
  })
})

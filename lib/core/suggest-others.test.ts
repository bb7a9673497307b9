import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { IntentBody, OtherCallRecord } from '../api/receipt.ts'
import { decideOther } from './decide-other.ts'
import { newHistory } from './history/history.ts'
import type { OtherCall } from './other-call.ts'
import { checkPolicy } from './policy-check.ts'
import { prepare } from './prepare.ts'
import type { Json } from './strict.ts'
import { suggestPolicy } from './suggest.ts'
import { otherCall } from './testing/arbitrary-other.ts'
import { NOW, remitOf } from './testing/remit.ts'
import { uriProblem } from './uri.ts'

const intent = (call: Partial<OtherCallRecord>, effect: 'Allow' | 'Deny' = 'Allow'): IntentBody => ({
  kind: 'intent',
  agent: { id: 'a', namespace: 'payments', name: 'bot', createdBy: { username: 'ana', at: '2026-11-01T00:00:00Z' } },
  owner: { group: 'team', onCall: [] },
  remit: { digest: '', generation: 1 },
  call: { server: 'billing', method: '', argumentsDigest: '', argumentsBytes: 0, ...call } as OtherCallRecord,
  decision: { effect, reason: '' },
})
const read = (name: string, more: Partial<OtherCallRecord> = {}) => intent({ type: 'resource', name, ...more })
const suggest = (intents: IntentBody[]) => suggestPolicy(intents, 'suggested', 'payments').spec

test('what was read, what was got and what was asked, and nothing of what was refused', () => {
  const spec = suggest([
    read('file:///handbook/a.md'),
    read('file:///handbook/a.md'),
    read('memo:insights', { server: 'memory' }),
    intent({ type: 'resource', name: 'file:///etc/passwd' }, 'Deny'),
    intent({ type: 'prompt', name: 'summarize', arguments: { length: 'short' } }),
    intent({ type: 'prompt', name: 'summarize', arguments: { length: 'short' } }),
    intent({ type: 'request', name: 'elicitation/create', arguments: { message: 'Where to?' } }),
    intent({ type: 'request', name: 'sampling/createMessage', arguments: { maxTokens: 200, messages: [] } }),
    intent({ type: 'request', name: 'sampling/createMessage', arguments: { maxTokens: 50, messages: [] } }),
    intent({ type: 'completion', name: 'summarize', arguments: {} }),
    intent({ type: 'task', name: 't-1' }),
  ])
  expect(spec).toEqual({
    mode: 'Enforce',
    tools: [],
    resources: [
      {
        name: 'read-resources-billing',
        match: { servers: ['billing'], uris: ['file:///handbook/a.md'] },
        effect: 'Allow',
      },
      { name: 'read-resources-memory', match: { servers: ['memory'], uris: ['memo:insights'] }, effect: 'Allow' },
    ],
    prompts: [
      {
        name: 'prompt-summarize',
        match: { servers: ['billing'], prompts: ['summarize'] },
        effect: 'Allow',
        where: [{ arg: 'length', in: ['short'] }],
      },
    ],
    requests: [
      {
        name: 'billing-elicitation',
        match: { servers: ['billing'], methods: ['elicitation/create'] },
        effect: 'Allow',
        where: [{ arg: 'mode', in: ['form'] }],
      },
      {
        name: 'billing-sampling',
        match: { servers: ['billing'], methods: ['sampling/createMessage'] },
        effect: 'Allow',
        where: [{ arg: 'maxTokens', min: '50', max: '200' }],
      },
    ],
  })
})

test.each<[string, string[], string[]]>([
  ['many files of a folder', [...'abcdefg'].map((name) => `file:///handbook/${name}.md`), ['file:///handbook/*']],
  [
    'folders inside one another',
    [...'abcdefg'].map((name) => `file:///${name < 'd' ? '' : 'sub/'}${name}`),
    ['file:///*'],
  ],
  ['many of one scheme without folders', [...'abcdefg'].map((name) => `memo:${name}`), ['memo:*']],
  [
    'more folders than a rule may list',
    Array.from({ length: 40 }, (_, index) => `https://h.example/${index}/a`),
    ['https://h.example/*'],
  ],
  ['a URI that is too long to be listed', [`file:///a/${'b'.repeat(600)}`], ['file:///a/*']],
])('%s', (_, uris, patterns) => {
  expect(suggest(uris.map((uri) => read(uri))).resources?.[0]?.match.uris).toEqual(patterns)
})

test('everything that was let through is allowed, the policy is accepted, and the order does not matter', () => {
  fc.assert(
    fc.property(fc.array(otherCall, { maxLength: 8 }), (calls) => {
      const plain = calls.filter(({ type, name }) => type !== 'resource' || uriProblem(name) === undefined)
      // An elicitation whose mode is no text, or a number of tokens that is no number, no gate lets through.
      const sane = plain.filter(({ type, arguments: args }) => {
        const { mode = 'form', maxTokens = 1 } = args as { mode?: Json; maxTokens?: Json }
        return type !== 'request' || (typeof mode === 'string' && typeof maxTokens === 'number')
      })
      const intents = sane.map(({ type, server, name, arguments: args }: OtherCall) =>
        intent({ type, server, name, arguments: args }),
      )
      const spec = suggest(intents)
      expect(checkPolicy(spec)).toEqual([])
      expect(suggest(intents.toReversed())).toEqual(spec)
      const prepared = prepare(remitOf([spec]))
      const history = { ...newHistory(prepared), loaded: true }
      for (const call of sane) expect(decideOther(prepared, call, history, NOW).effect).toBe('Allow')
    }),
    { numRuns: 500 },
  )
})

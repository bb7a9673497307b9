import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PolicySpec, PromptRule, RequestRule, ResourceRule, ToolRule } from '../../lib/api/gen/types.ts'
import { decideAnswer, decideOther } from '../../lib/core/decide-other.ts'
import { newHistory } from '../../lib/core/history/history.ts'
import type { OtherCall } from '../../lib/core/other-call.ts'
import { prepare } from '../../lib/core/prepare.ts'
import type { Json } from '../../lib/core/strict.ts'
import { answer, otherCall, otherSpec } from '../../lib/core/testing/arbitrary-other.ts'
import { NOW, remitOf } from '../../lib/core/testing/remit.ts'
import { uriProblem } from '../../lib/core/uri.ts'
import { compare, type Difference } from './diff.ts'
import { differenceJson, renderDifference } from './render.ts'
import { openSolver, type Solver } from './solver/solver.ts'

let solver: Solver
beforeAll(() => {
  solver = openSolver()
})
afterAll(() => solver.close())

const diff = (
  old: PolicySpec,
  now: PolicySpec,
  cluster: [PolicySpec[], PolicySpec[]] = [[], []],
): Promise<Difference> =>
  compare(remitOf([old], cluster[0]), remitOf([now], cluster[1]), { solver, timeout: 20_000, now: NOW })

const resource = (change: Partial<ResourceRule> = {}): PolicySpec => ({
  resources: [{ name: 'r', match: { servers: ['docs'], uris: ['file:///handbook/*'] }, effect: 'Allow', ...change }],
})
const uris = (...patterns: string[]) => resource({ match: { servers: ['docs'], uris: patterns } })
const prompt = (change: Partial<PromptRule> = {}): PolicySpec => ({
  prompts: [{ name: 'p', match: { prompts: ['summ*'] }, effect: 'Allow', ...change }],
})
const request = (change: Partial<RequestRule> = {}): PolicySpec => ({
  requests: [{ name: 'q', match: { methods: ['elicitation/create'] }, effect: 'Allow', ...change }],
})
const NOTHING: PolicySpec = {}
const never = (servers: string[]): PolicySpec => ({ invariants: [{ name: 'never', match: { servers } }] })
const send: ToolRule = { name: 'send', match: { tools: ['send'] }, effect: 'Allow' }
const careful = (after: { servers?: string[]; tools?: string[] }): PolicySpec => ({
  tools: [send],
  ...resource({ match: { servers: ['docs'] } }),
  taint: [{ name: 'careful', after, match: { tools: ['send'] } }],
})

describe('a change that widens is shown by an example', () => {
  test.each<[string, PolicySpec, PolicySpec, object]>([
    ['a first resource', NOTHING, resource(), { resource: 'file:///handbook/', server: 'docs' }],
    [
      'a wider pattern of URIs',
      uris('file:///handbook/a/*'),
      uris('file:///handbook/*'),
      { resource: expect.stringMatching(/^file:\/\/\/handbook\//) },
    ],
    ['another scheme', uris('file:///*'), uris('file:///*', 'memo:*'), { resource: expect.stringMatching(/^memo:/) }],
    [
      'a host',
      uris('https://a.example/*'),
      uris('https://*.example/*'),
      { resource: expect.stringMatching(/^https:/) },
    ],
    [
      'another suffix',
      resource({ where: [{ arg: 'uri', suffix: '.md' }] }),
      resource({ where: [{ arg: 'uri', pattern: '\\.(md|txt)$' }] }),
      { resource: expect.stringMatching(/\.txt$/) },
    ],
    ['another server', uris('a:b'), resource({ match: { uris: ['a:b'] } }), { resource: 'a:b' }],
    [
      'a Deny rule that is gone',
      { resources: [...(uris('a:*').resources ?? []), { name: 'no', match: { uris: ['a:b'] }, effect: 'Deny' }] },
      uris('a:*'),
      { resource: 'a:b' },
    ],
    ['an Ask that is now allowed', resource({ effect: 'Ask' }), resource(), { old: { effect: 'Ask' } }],
    ['a prompt', prompt(), prompt({ match: { prompts: ['*'] } }), { prompt: expect.not.stringMatching(/^summ/) }],
    [
      'an argument of a prompt',
      prompt({ where: [{ arg: 'length', in: ['short'] }] }),
      prompt({ where: [{ arg: 'length', in: ['short', 'long'] }] }),
      { arguments: { length: 'long' } },
    ],
    ['a request', NOTHING, request(), { request: 'elicitation/create' }],
    [
      'a mode',
      request({ where: [{ arg: 'mode', in: ['form'] }] }),
      request({ where: [{ arg: 'mode', in: ['form', 'url'] }] }),
      { request: 'elicitation/create', arguments: { mode: 'url' } },
    ],
    [
      'another method',
      request({ match: { methods: ['roots/list'] } }),
      request({ match: { methods: ['roots/list', 'sampling/createMessage'] } }),
      { request: 'sampling/createMessage' },
    ],
    [
      'more tokens',
      request({ match: { methods: ['sampling/createMessage'] }, where: [{ arg: 'maxTokens', max: '100' }] }),
      request({ match: { methods: ['sampling/createMessage'] }, where: [{ arg: 'maxTokens', max: '1000' }] }),
      { request: 'sampling/createMessage' },
    ],
    [
      'an answer that may leave now',
      request({ answer: [{ arg: 'content.password', absent: true }] }),
      request(),
      { request: 'elicitation/create', answer: expect.anything() },
    ],
    ['an invariant about a server', { ...resource(), ...never(['docs']) }, resource(), { server: 'docs' }],
    ['all of it, by observing', resource(), { mode: 'Observe' }, {}],
  ])('%s', async (_, old, now, shown) => {
    const found = await diff(old, now)
    expect(found).toMatchObject({ verdict: 'wider', undecided: [] })
    const { examples } = differenceJson(found) as { examples: object[] }
    expect(examples[0]).toMatchObject(shown)
  })

  test('a taint that reads no longer raise', async () => {
    const found = await diff(careful({ servers: ['docs'] }), careful({ servers: ['docs'], tools: ['*'] }))
    expect(found.verdict).toBe('wider')
    expect(renderDifference(found)).toContain('after a resource of docs was read')
  })

  test('a ClusterAgentPolicy that no longer denies', async () => {
    const floor: PolicySpec = { resources: [{ name: 'no', match: { uris: ['file:///handbook/x'] }, effect: 'Deny' }] }
    const found = await diff(resource(), resource(), [[floor], []])
    expect(differenceJson(found)).toMatchObject({ verdict: 'wider', examples: [{ resource: 'file:///handbook/x' }] })
  })

  test('what a person reads', async () => {
    const both = { ...resource(), ...request({ answer: [{ arg: 'content.a', equals: 'b' }] }) }
    expect(renderDifference(await diff(NOTHING, { ...both, ...prompt({ effect: 'Ask' }) }))).toBe(
      [
        'Newly allowed:',
        '  docs resource file:///handbook/',
        '    old: Deny: No rule allows the resource "file:///handbook/" of docs.',
        '    new: Allow by r of payments/p0: r allows the resource "file:///handbook/" of docs.',
        '  docs asks elicitation/create {}',
        '    old: Deny: No rule allows elicitation/create of docs.',
        '    new: Allow by q of payments/p0: q allows elicitation/create of docs.',
        '  docs gets an answer to elicitation/create {}',
        '    where the agent answers {"content":{"a":"b"}}',
        '    old: Deny: No rule allows elicitation/create of docs.',
        '    new: Allow by q of payments/p0: q allows the answer to elicitation/create of docs.',
        'Newly waiting for a person, or drafted:',
        '  docs prompt summany {}',
        '    old: Deny: No rule allows the prompt summany of docs.',
        '    new: Ask by p of payments/p0: p asks first. This call is waiting for ana.',
        'wider',
      ].join('\n'),
    )
  })
})

describe('a change that does not widen', () => {
  test.each<[string, PolicySpec, PolicySpec]>([
    ['nothing but names', resource(), resource({ name: 'other' })],
    ['a pattern in two', uris('file:///a/*'), uris('file:///a/b*', 'file:///a/*c')],
    ['a pattern that no plain URI fits', uris('file:///a/*'), uris('file:///a/*', 'file:///a/*/../b*')],
    ['a file that is in the folder', uris('file:///a/*'), uris('file:///a/*', 'file:///a/b.md')],
    [
      'a pattern said by a constraint',
      uris('file:///a/*'),
      resource({ match: { servers: ['docs'] }, where: [{ arg: 'uri', prefix: 'file:///a/' }] }),
    ],
    ['a resource less', resource(), NOTHING],
    ['Ask instead of Allow', resource(), resource({ effect: 'Ask' })],
    ['an invariant about a server', resource(), { ...resource(), ...never(['docs']) }],
    ['rules that an invariant makes useless', never(['docs']), { ...resource(), ...never(['docs']) }],
    ['a prompt of fewer servers', prompt(), prompt({ match: { servers: ['docs'], prompts: ['summ*'] } })],
    [
      'an elicitation that may say what it is without saying so',
      request({ where: [{ arg: 'mode', in: ['form'] }] }),
      request({ where: [{ arg: 'mode', in: ['form'], optional: true }] }),
    ],
    ['an answer held to more', request(), request({ answer: [{ arg: 'content.a', absent: true }] })],
    ['a taint that reads raise too', careful({ servers: ['docs'], tools: ['*'] }), careful({ servers: ['docs'] })],
  ])('%s', async (_, old, now) => {
    expect(await diff(old, now)).toEqual({ verdict: 'no wider', examples: [], loosened: [], undecided: [] })
  })
})

const REACH = { Deny: 0, Draft: 1, Ask: 2, Allow: 3 }
const reach = (policy: PolicySpec, call: OtherCall, said: Json): number => {
  const prepared = prepare(remitOf([policy]))
  const { effect } = decideOther(prepared, call, { ...newHistory(prepared), loaded: true }, NOW)
  const answered =
    call.type === 'request' && effect === 'Allow' && decideAnswer(prepared, call, said).effect === 'Allow'
  return REACH[effect] + Number(answered)
}

test('where it says "no wider", no call of many is; and what it shows is wider', async () => {
  const seen = { 'no wider': 0, wider: 0, undecided: 0 }
  const calls = fc.array(fc.tuple(otherCall, answer), { minLength: 40, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(otherSpec, otherSpec, fc.nat(), calls, async (a, b, cut, tried) => {
      const without = (policy: PolicySpec): PolicySpec => {
        const list = (['resources', 'prompts', 'requests'] as const)[cut % 3] ?? 'resources'
        return { ...policy, [list]: (policy[list] ?? []).slice(1) }
      }
      const pairs: [PolicySpec, PolicySpec][] = [
        [a, without(a)],
        [without(a), a],
        [a, b],
      ]
      const [old, now] = pairs[cut % pairs.length] as [PolicySpec, PolicySpec]
      const found = await diff(old, now)
      seen[found.verdict]++
      for (const { candidate } of found.examples) {
        const { uri } = candidate.arguments as { uri?: string }
        if (candidate.target.type === 'resource') expect(uriProblem(String(uri))).toBeUndefined()
      }
      if (found.verdict !== 'no wider') return
      for (const [call, said] of tried)
        expect([call, reach(now, call, said) > reach(old, call, said)]).toEqual([call, false])
    }),
    { numRuns: 20 },
  )
  expect(seen['no wider']).toBeGreaterThan(0)
  expect(seen.wider).toBeGreaterThan(0)
  expect(seen.undecided).toBeLessThan(3)
}, 180_000)

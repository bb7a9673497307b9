import { describe, expect, test } from 'vitest'
import type { PolicySpec, ToolRule } from '../../lib/api/gen/types.ts'
import { remitOf } from '../../lib/core/testing/remit.ts'
import { readCalls } from './calls.ts'
import { decideLines, exitCodeOf, newTrack } from './session.ts'
import type { Tools } from './tools.ts'

const START = Date.parse('2026-11-21T02:00:00Z')
const plain: ToolRule = { name: 'refunds', match: { tools: ['refund'] }, effect: 'Allow' }
const refund = (bounds: Partial<ToolRule>): PolicySpec => ({ tools: [{ ...plain, otherwise: 'Ask', ...bounds }] })
const call = (over: object = {}) => ({ server: 'billing', tool: 'refund', arguments: { amount: 10 }, ...over })
const run = (spec: PolicySpec, lines: object[], tools?: Tools) => {
  const { calls } = readCalls(Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n')), 'calls')
  return [...decideLines(newTrack(remitOf([spec])), calls, { tools, start: START })]
}
const effects = (...args: Parameters<typeof run>) => run(...args).map(({ decision }) => decision.effect)

describe('what was allowed has happened for the lines after it', () => {
  const twice = refund({ limits: [{ calls: 2, per: '1h' }] })

  test('it counts; what was not allowed does not', () => {
    const tooLarge = refund({
      where: [{ arg: 'amount', max: '20' }],
      limits: [{ sum: 'amount', max: '25', per: '1h' }],
    })
    const amounts = [30, 20, 6, 5, 1].map((amount) => call({ arguments: { amount } }))
    expect(effects(tooLarge, amounts)).toEqual(['Ask', 'Allow', 'Ask', 'Allow', 'Ask'])
  })

  test('a call that failed is free again', () => {
    expect(effects(twice, [call({ outcome: 'error' }), call(), call(), call()])).toEqual([
      'Allow',
      'Allow',
      'Allow',
      'Ask',
    ])
  })

  test('it leaves the window to the millisecond', () => {
    const at = (time: string) => call({ at: `2026-11-21T${time}Z` })
    const times = [at('02:00:00'), at('02:30:00'), at('02:59:59.999'), at('03:00:00')]
    expect(effects(twice, times)).toEqual(['Allow', 'Allow', 'Ask', 'Allow'])
  })

  test('a line without at has the time of the line before', () => {
    const lines = [call({ at: '2026-11-21T02:00:00Z' }), call(), call(), call({ at: '2026-11-21T03:00:00Z' }), call()]
    expect(effects(twice, lines)).toEqual(['Allow', 'Allow', 'Ask', 'Allow', 'Allow'])
  })

  test('going back in time frees nothing', () => {
    const lines = ['02:00:00', '02:00:00', '01:00:00', '2026-11-20T02:00:00Z']
      .map((time) => (time.includes('T') ? time : `2026-11-21T${time}Z`))
      .map((at) => call({ at }))
    expect(effects(twice, lines)).toEqual(['Allow', 'Allow', 'Ask', 'Ask'])
    // Nor does what was done after going back leave the window any sooner.
    const later = [
      call({ at: '2026-11-21T02:00:00Z' }),
      call({ at: '2026-11-20T00:00:00Z' }),
      call({ at: '2026-11-21T02:59:59Z' }),
    ]
    expect(effects(twice, later)).toEqual(['Allow', 'Allow', 'Ask'])
  })

  test('evidence is an earlier call that succeeded', () => {
    const read = (over: object) => call({ tool: 'get_invoice', arguments: { id: 7 }, ...over })
    const spec = refund({ evidence: [{ tool: 'billing/get_invoice', same: { invoice: 'id' } }] })
    const both = {
      tools: [...(spec.tools ?? []), { name: 'reads', match: { tools: ['get_*'] }, effect: 'Allow' as const }],
    }
    const pay = call({ arguments: { invoice: 7 } })
    expect(
      effects(both, [pay, read({ outcome: 'error' }), pay, read({ arguments: { id: 8 } }), pay, read({}), pay]),
    ).toEqual(['Ask', 'Allow', 'Ask', 'Allow', 'Ask', 'Allow', 'Allow'])
  })
})

test('a breaker opens, says so at its line, and everything after it is denied', () => {
  const spec: PolicySpec = { tools: [plain], breaker: { errors: 2 } }
  const decided = run(spec, [call({ outcome: 'error' }), call({ outcome: 'error' }), call()])
  expect(decided.map(({ opened }) => opened?.policy)).toEqual([undefined, 'payments/p0', undefined])
  expect(decided[2]?.decision).toMatchObject({ effect: 'Deny', code: 'AgentFrozen' })
})

test('a line the gate would refuse is denied and does not become part of the past', () => {
  const spec: PolicySpec = { tools: [plain], breaker: { denials: 2 } }
  const refused = call({ arguments: [] })
  const decided = run(spec, [refused, refused, refused, call()])
  expect(decided.map(({ decision }) => decision.code)).toEqual([...Array(3).fill('MalformedRequest'), undefined])
})

test('with tools at hand, pins are held against them', () => {
  const tool = { name: 'refund', inputSchema: { type: 'object', properties: { amount: { type: 'number' } } } }
  const digest = `sha256:${'0'.repeat(64)}`
  const spec: PolicySpec = { tools: [plain], pins: [{ server: 'billing', tool: 'refund', digest }] }
  expect(effects(spec, [call()])).toEqual(['Allow'])
  expect(run(spec, [call()], { billing: [tool] })[0]?.decision.code).toBe('ToolChanged')
  expect(run(spec, [call()], { billing: [] })[0]?.decision.code).toBe('ToolUndeclared')
})

test('what was read for a call is given with it', () => {
  const spec = refund({
    object: { read: 'billing/get_invoice', with: { id: 'invoice' }, where: [{ arg: 'owner', equals: 'ana' }] },
  })
  const about = (owner: string) =>
    call({ arguments: { invoice: 7 }, objects: [{ tool: 'billing/get_invoice', value: { owner } }] })
  expect(effects(spec, [about('ana'), about('bo'), call({ arguments: { invoice: 7 } })])).toEqual([
    'Allow',
    'Ask',
    'Deny',
  ])
})

test.each([
  [['Allow', 'Draft'], 0],
  [['Allow', 'Ask', 'Draft'], 3],
  [['Deny', 'Ask', 'Allow'], 4],
] as const)('the exit code of %s is %i', (all, code) => {
  expect(exitCodeOf(all.map((effect) => ({ effect, reason: '' })))).toBe(code)
})

describe('what is no call of a tool', () => {
  const spec: PolicySpec = {
    tools: [plain],
    resources: [{ name: 'handbook', match: { uris: ['file:///handbook/*'] }, effect: 'Allow' }],
    prompts: [{ name: 'summaries', match: { prompts: ['summ*'] }, effect: 'Ask' }],
    requests: [
      {
        name: 'forms',
        match: { methods: ['elicitation/create'] },
        effect: 'Allow',
        answer: [{ arg: 'content.password', absent: true }],
      },
    ],
    taint: [{ name: 'careful', after: { servers: ['mail'] }, match: { tools: ['*'] } }],
  }
  const read = { server: 'mail', resource: 'file:///handbook/a.md' }
  const asked = { server: 'mail', request: 'elicitation/create', params: { message: 'Who?' } }

  test('is decided by its own rules, a request with an answer by the answer', () => {
    const lines = [
      read,
      { ...read, resource: 'file:///handbook/../a.md' },
      { server: 'mail', prompt: 'summarize' },
      { server: 'mail', prompt: 'greet' },
      asked,
      { ...asked, answer: { content: {} } },
      { ...asked, answer: { content: { password: 'x' } } },
      { ...asked, request: 'roots/list', answer: {} },
    ]
    const decided = run(spec, lines)
    expect(decided.map(({ decision }) => [decision.effect, decision.rule ?? decision.code])).toEqual([
      ['Allow', 'handbook'],
      ['Deny', 'UriNotPlain'],
      ['Ask', 'summaries'],
      ['Deny', 'NoRuleAllows'],
      ['Allow', 'forms'],
      ['Allow', 'forms'],
      ['Deny', 'forms'],
      ['Deny', 'NoRuleAllows'],
    ])
    expect(decided[0]?.assessment?.findings).toMatchObject([{ rule: 'handbook', type: 'resource', says: 'Allow' }])
  })

  test('what was read taints what comes after it; what a server asked does not', () => {
    expect(effects(spec, [asked, call(), read, call()])).toEqual(['Allow', 'Allow', 'Allow', 'Ask'])
  })
})

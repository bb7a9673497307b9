import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Limit, PolicySpec } from '../api/gen/types.ts'
import type { ResultBody } from '../api/receipt.ts'
import { assess } from './decide.ts'
import { newHistory, remember } from './history/history.ts'
import { prepare } from './prepare.ts'
import type { Json } from './strict.ts'
import { NOW, remitOf } from './testing/remit.ts'

// What rules make of the past, against the plainest model there is: a list of everything that happened, gone through
// from the first to the last at every question. Times are small, so that calls meet the edges of windows often.

type Outcome = ResultBody['outcome'] | 'unknown'
type Step =
  | { do: 'call'; tool: string; args: { [name: string]: Json } }
  | { do: 'end'; which: number; outcome: Outcome }
  | { do: 'wait'; ms: number }
  /** The wall's clock is set; the steady one goes on. */
  | { do: 'set'; ms: number }

interface Made {
  at: number
  tool: string
  args: { [name: string]: Json }
  outcome: Outcome | undefined
  endedAt: number
}

const TOOLS = ['pay', 'credit', 'look', 'read_mail']
/** With far more digits than a double has, and none of which is a binary fraction. */
const AMOUNTS = ['0.1', '0.2', '0.3', '9007199254740993', '0.00000000000000000001', '1', '100']
const amount: fc.Arbitrary<Json> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<Json>(...AMOUNTS) },
  { weight: 4, arbitrary: fc.constantFrom<Json>(0.1, 0.2, 0.7, 1, 3) },
  { weight: 1, arbitrary: fc.constantFrom<Json>('1e3', '-1', -0.5, '5,00', null, [1], true) },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      tool: fc.constantFrom(...TOOLS),
      args: fc.record(
        { amount, to: fc.constantFrom<Json>('ana', 'bo', 'cy', 5, '5'), id: fc.constantFrom<Json>('A', 'B') },
        { requiredKeys: ['id'] },
      ) as fc.Arbitrary<{ [name: string]: Json }>,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which: fc.nat(5),
      outcome: fc.constantFrom<Outcome>(
        'ok',
        'ok',
        'ok',
        'error',
        'error',
        'timeout',
        'unreachable',
        'cancelled',
        'unknown',
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 999, 1_000, 1_001, 5_000, 10_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('set' as const), ms: fc.constantFrom(-3_600_000, 3_600_000) }) },
)
const steps = fc.array(step, { minLength: 5, maxLength: 60 })

/** Runs the steps and asks `model` at every call what must come out; `made` is what was made so far, oldest first. */
const play = (
  spec: PolicySpec,
  all: Step[],
  model: (asked: { tool: string; args: { [name: string]: Json }; at: number; made: Made[] }) => string | undefined,
): Record<string, number> => {
  const prepared = prepare(remitOf([spec]))
  const history = newHistory(prepared)
  history.loaded = true
  const made: Made[] = []
  const open: { id: string; call: Made }[] = []
  const seen: Record<string, number> = {}
  let steady = NOW
  let wall = NOW
  for (const [index, each] of all.entries()) {
    if (each.do === 'wait') {
      steady += each.ms
      wall += each.ms
    } else if (each.do === 'set') wall += each.ms
    else if (each.do === 'end') {
      const [ended] = open.splice(each.which % Math.max(1, open.length), 1)
      if (ended === undefined) continue
      ended.call.outcome = each.outcome
      ended.call.endedAt = steady
      remember(history, { kind: 'result', id: ended.id, at: steady, outcome: each.outcome })
    } else {
      const { tool, args } = each
      const found = assess(prepared, { server: 'billing', tool, arguments: args }, history, wall, steady)
      const { effect, code, reason } = found.decision
      const wanted = model({ tool, args, at: steady, made })
      const what = effect === 'Allow' ? 'Allow' : String(code)
      seen[what] = (seen[what] ?? 0) + 1
      expect({ index, each, what, reason }).toEqual({ index, each, what: wanted ?? what, reason })
      const id = `call-${index}`
      remember(history, {
        kind: 'intent',
        id,
        at: steady,
        server: 'billing',
        tool,
        effect,
        class: found.class,
        facts: found.record,
      })
      if (effect !== 'Allow') continue
      const call: Made = { at: steady, tool, args, outcome: undefined, endedAt: Number.POSITIVE_INFINITY }
      made.push(call)
      open.push({ id, call })
    }
  }
  return seen
}

/** How often each outcome came in all runs; one that never comes proves nothing. */
const check = (arbitrary: fc.Arbitrary<[PolicySpec, Parameters<typeof play>[2]]>, wanted: string[]): void => {
  const total: Record<string, number> = {}
  fc.assert(
    fc.property(arbitrary, steps, ([spec, model], all) => {
      for (const [what, times] of Object.entries(play(spec, all, model))) total[what] = (total[what] ?? 0) + times
    }),
    { numRuns: 400 },
  )
  expect(wanted.filter((what) => !((total[what] ?? 0) > 20))).toEqual([])
}

const PER = 10_000
const counts = ({ outcome }: Made): boolean => outcome !== 'error'
const inWindow = (made: Made[], at: number, per = PER): Made[] =>
  made.filter((call) => counts(call) && call.at > at - per && call.at <= at)
const under = (limits: Limit[]): PolicySpec => ({
  tools: [
    { name: 'money', match: { tools: ['pay', 'credit'] }, effect: 'Allow', limits },
    { name: 'rest', match: { tools: ['look', 'read_*'] }, effect: 'Allow' },
  ],
})
const isMoney = (tool: string): boolean => tool === 'pay' || tool === 'credit'
const counted = (scope: Limit['scope'], tool: string, made: Made[]): Made[] =>
  made.filter((call) => {
    if (scope === 'Agent' || scope === 'Policy') return true
    return isMoney(call.tool) && (scope !== 'Tool' || call.tool === tool)
  })
const scope = fc.constantFrom<Limit['scope']>(undefined, 'Rule', 'Tool', 'Policy', 'Agent')

test('never more calls than the limit in any window, and never fewer', () => {
  check(
    fc
      .tuple(fc.nat(3), scope)
      .map(([calls, of]) => [
        under([{ per: '10s', calls, scope: of }]),
        ({ tool, at, made }) =>
          !isMoney(tool) || inWindow(counted(of, tool, made), at).length < calls ? 'Allow' : 'LimitReached',
      ]),
    ['Allow', 'LimitReached'],
  )
})

test('several limits hold together', () => {
  check(
    fc.constant([
      under([
        { per: '1s', calls: 1 },
        { per: '10s', calls: 3 },
      ]),
      ({ tool, at, made }) => {
        const money = counted('Rule', tool, made)
        const left = inWindow(money, at, 1_000).length < 1 && inWindow(money, at).length < 3
        return !isMoney(tool) || left ? 'Allow' : 'LimitReached'
      },
    ]),
    ['Allow', 'LimitReached'],
  )
})

test('no more at a time than the limit', () => {
  check(
    fc
      .tuple(fc.integer({ min: 1, max: 2 }), scope)
      .map(([concurrent, of]) => [
        under([{ concurrent, scope: of }]),
        ({ tool, made }) =>
          !isMoney(tool) || counted(of, tool, made).filter(({ outcome }) => outcome === undefined).length < concurrent
            ? 'Allow'
            : 'LimitReached',
      ]),
    ['Allow', 'LimitReached'],
  )
})

/** Exact, in units of 10^-20; undefined for what is no amount. */
const DIGITS = 20
const units = (value: Json | undefined): bigint | undefined => {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const text = String(value)
  if (!/^[0-9]+(?:\.[0-9]+)?$/.test(text)) return undefined
  const [whole = '', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(DIGITS, '0'))
}

test('sums never round', () => {
  check(
    fc.constantFrom('0.3', '1', '9007199254740993.3', '0.30000000000000000001').map((max) => [
      under([{ per: '10s', sum: 'amount', max }]),
      ({ tool, args, at, made }) => {
        if (!isMoney(tool)) return 'Allow'
        const mine = units(args.amount)
        if (mine === undefined) return 'ConstraintError'
        const before = inWindow(counted('Rule', tool, made), at).reduce(
          (sum, call) => sum + units(call.args.amount)!,
          0n,
        )
        return before + mine <= units(max)! ? 'Allow' : 'LimitReached'
      },
    ]),
    ['Allow', 'LimitReached', 'ConstraintError'],
  )
})

test('different values are counted once each, and the text "5" is not the number 5', () => {
  check(
    fc.integer({ min: 1, max: 3 }).map((max) => [
      under([{ per: '10s', distinct: 'to', max: String(max) }]),
      ({ tool, args, at, made }) => {
        if (!isMoney(tool)) return 'Allow'
        if (args.to === undefined) return 'ConstraintError'
        const values = inWindow(counted('Rule', tool, made), at).map((call) => call.args.to)
        return new Set([...values, args.to]).size <= max ? 'Allow' : 'LimitReached'
      },
    ]),
    ['Allow', 'LimitReached', 'ConstraintError'],
  )
})

test('evidence is a call of the same object that succeeded in time', () => {
  const spec: PolicySpec = {
    tools: [
      {
        name: 'money',
        match: { tools: ['pay', 'credit'] },
        effect: 'Allow',
        evidence: [{ tool: 'billing/look', within: '10s', same: { id: 'id' } }],
      },
      { name: 'rest', match: { tools: ['look', 'read_*'] }, effect: 'Allow' },
    ],
  }
  check(
    fc.constant([
      spec,
      ({ tool, args, at, made }) => {
        const proof = made.some(
          (call) =>
            call.tool === 'look' && call.outcome === 'ok' && call.args.id === args.id && call.endedAt > at - PER,
        )
        return !isMoney(tool) || proof ? 'Allow' : 'EvidenceMissing'
      },
    ]),
    ['Allow', 'EvidenceMissing'],
  )
})

test('a taint lasts its time from the call on, whatever came of it', () => {
  const spec: PolicySpec = {
    tools: [{ name: 'all', match: { tools: ['*'] }, effect: 'Allow' }],
    taint: [{ name: 'mail', after: { tools: ['read_*'] }, for: '10s', match: { tools: ['pay', 'credit'] } }],
  }
  check(
    fc.constant([
      spec,
      ({ tool, at, made }) =>
        isMoney(tool) && made.some((call) => call.tool === 'read_mail' && call.at > at - PER)
          ? 'WaitingForPerson'
          : 'Allow',
    ]),
    ['Allow', 'WaitingForPerson'],
  )
})

test('a breaker opens by so many denials in a row, and then nothing is given any more', () => {
  check(
    fc.integer({ min: 1, max: 3 }).map((denials) => {
      let inARow = 0
      let frozen = false
      const spec: PolicySpec = {
        tools: [{ name: 'rest', match: { tools: ['look', 'read_*', 'credit'] }, effect: 'Allow' }],
        breaker: { denials },
      }
      return [
        spec,
        ({ tool }) => {
          if (frozen) return 'AgentFrozen'
          inARow = tool === 'pay' ? inARow + 1 : 0
          frozen = inARow >= denials
          return tool === 'pay' ? 'NoRuleAllows' : 'Allow'
        },
      ] as [PolicySpec, Parameters<typeof play>[2]]
    }),
    ['Allow', 'NoRuleAllows', 'AgentFrozen'],
  )
})

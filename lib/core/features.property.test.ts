import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PolicySpec, ToolDefinition, ToolRule } from '../api/gen/types.ts'
import type { Past } from '../api/ledger.ts'
import { compile, STANDALONE } from './compile.ts'
import { type Assessment, assess, type ToolCall } from './decide.ts'
import { newHistory, remember } from './history/history.ts'
import { definitionDigest } from './pin.ts'
import { type PreparedRemit, prepare } from './prepare.ts'
import type { Json } from './strict.ts'
import { annotations, DEFINITION, past, restricting, richCall, richSpec } from './testing/arbitrary-rich.ts'
import { input, NOW } from './testing/remit.ts'
import { visible } from './visible.ts'

// The semantics that decide.property.test.ts holds constraints to, for everything else the language has.

/** As on somebody's own machine, where autonomous work needs no rotation. */
const preparedOf = (specs: PolicySpec[], cluster: PolicySpec[] = []): PreparedRemit => {
  const result = compile({ ...input(specs, cluster), cluster: STANDALONE })
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  return prepare(result.remit)
}
const under = (specs: PolicySpec[], call: ToolCall, events: Past[], cluster: PolicySpec[] = []): Assessment => {
  const prepared = preparedOf(specs, cluster)
  const history = newHistory(prepared)
  history.loaded = true
  for (const event of events) remember(history, event)
  return assess(prepared, call, history, NOW)
}
const OPENNESS = { Deny: 0, Ask: 1, Draft: 2, Allow: 3 }
const openness = (...given: Parameters<typeof under>): number => OPENNESS[under(...given).decision.effect]
const pinned = (call: ToolCall): ToolCall => ({ ...call, definition: 'pinned' })

test('every feature decides sometimes', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(richSpec, richCall, past, (spec, call, events) => {
      const { effect, code } = under([spec], call, events).decision
      seen.add(code ?? effect)
    }),
    { numRuns: 2_500 },
  )
  const codes = 'Allow WaitingForPerson DraftOnly NoRuleAllows DeniedByRule DeniedByInvariant ConstraintError'.split(
    ' ',
  )
  const more = 'ConstraintFailed LimitReached EvidenceMissing FieldNotAllowed AgentFrozen ToolUndeclared ToolNotPinned'
  expect([...codes, ...more.split(' ')].filter((code) => !seen.has(code))).toEqual([])
}, 60_000)

test('the order of rules changes nothing, not even what is said', () => {
  const reversed = (spec: PolicySpec): PolicySpec => ({
    ...spec,
    tools: spec.tools?.toReversed(),
    guards: spec.guards?.toReversed(),
    invariants: spec.invariants?.toReversed(),
    taint: spec.taint?.toReversed(),
  })
  fc.assert(
    fc.property(richSpec, richSpec, richCall, past, (one, two, call, events) => {
      const { decision, class: cls, record } = under([one, two], pinned(call), events)
      const again = under([reversed(one), reversed(two)], pinned(call), events)
      expect(again).toMatchObject({ decision, ...(cls === undefined ? {} : { class: cls }) })
      expect(again.record).toEqual(record)
    }),
    { numRuns: 300 },
  )
})

test('what restricts never widens: another guard, invariant, taint, pin, breaker or read-only floor', () => {
  const restrictions = fc.oneof(
    restricting.map((rule): PolicySpec => ({ guards: [{ name: 'more', ...rule }] })),
    restricting.map((rule): PolicySpec => ({ invariants: [{ name: 'more', ...rule }] })),
    restricting.map((rule): PolicySpec => ({ taint: [{ name: 'more', after: { tools: ['get_*'] }, ...rule }] })),
    richSpec.map(({ pins = [], breaker }): PolicySpec => ({ pins, ...(breaker ? { breaker } : {}) })),
    fc.constant<PolicySpec>({ readOnly: true }),
  )
  fc.assert(
    fc.property(richSpec, restrictions, richCall, past, (spec, more, call, events) => {
      const before = openness([spec], call, events)
      expect(openness([spec, more], call, events)).toBeLessThanOrEqual(before)
      expect(openness([spec], call, events, [more])).toBeLessThanOrEqual(before)
    }),
    { numRuns: 300 },
  )
})

test('what a rule that allows asks for besides never widens: limits, evidence, fields', () => {
  fc.assert(
    fc.property(richSpec, richCall, past, (spec, call, events) => {
      // One that drafts or asks and holds less often leaves the word to one that allows.
      const full = (spec.tools ?? []).map(({ otherwise: _, ...rule }) => ({ ...rule, effect: 'Allow' as const }))
      const bare = full.map(({ limits: _l, evidence: _e, fields: _f, ...rule }) => rule)
      // A side effect without limits has those of its class; without any class that is the rule's own matter.
      const plain = (rules: typeof full) => ({ ...spec, tools: rules.map(({ class: _, ...rule }) => rule) })
      expect(openness([plain(full)], call, events)).toBeLessThanOrEqual(
        openness([plain(bare as typeof full)], call, events),
      )
    }),
    { numRuns: 300 },
  )
})

test('what no rule gives is denied, whatever the past', () => {
  fc.assert(
    fc.property(richSpec, richCall, past, (spec, call, events) => {
      const tools = spec.tools?.filter(({ effect }) => effect === 'Deny') ?? []
      expect(under([{ ...spec, tools }], call, events).decision.effect).toBe('Deny')
    }),
    { numRuns: 300 },
  )
})

test('what a server says of its tools never loosens anything', () => {
  fc.assert(
    fc.property(richSpec, richCall, past, annotations, (spec, call, events, said) => {
      const { pins: _, ...unpinned } = spec
      const definition = { name: call.tool, inputSchema: {} } as ToolDefinition
      const silent = { ...call, definition }
      const annotated = { ...call, definition: { ...definition, annotations: said } }
      expect(openness([unpinned], annotated, events)).toBeLessThanOrEqual(openness([unpinned], silent, events))
    }),
    { numRuns: 1_500 },
  )
}, 60_000)

test.each<[string, PolicySpec, string]>([
  ['an invariant', { invariants: [{ name: 'r', match: { classes: ['Write'] } }] }, 'Deny'],
  [
    'a rule that gives to nothing weaker',
    {
      tools: [
        { name: 'r', match: { tools: ['refund'] }, class: 'Write', effect: 'Allow', where: [{ arg: 'x', equals: 1 }] },
        { name: 'wide', match: { classes: ['SideEffect'] }, effect: 'Allow' },
      ],
    },
    'Deny',
  ],
])('%s about a weaker class holds also for a tool whose server calls it more dangerous', (_what, spec, effect) => {
  const write: ToolRule = { name: 'w', match: { tools: ['refund'] }, class: 'Write', effect: 'Allow' }
  const policy = spec.tools === undefined ? { ...spec, tools: [write] } : spec
  const definition = { name: 'refund', inputSchema: {}, annotations: { destructiveHint: true } }
  const call = { server: 'billing', tool: 'refund', arguments: { x: 2 }, definition }
  expect(under([policy], call, []).decision.effect).toBe(effect)
  if (spec.invariants) expect(visible(preparedOf([policy]), 'billing', 'refund', definition)).toBe(false)
})

test('a tool that is not as it was pinned has no call that is allowed, drafted or waits', () => {
  const other = fc.oneof(
    fc.constant(undefined),
    annotations.filter((said) => Object.keys(said).length > 0).map((said) => ({ ...DEFINITION, annotations: said })),
    fc
      .string()
      .filter((text) => text !== DEFINITION.description)
      .map((description) => ({ ...DEFINITION, description })),
    fc.constant({ ...DEFINITION, inputSchema: {} }),
    fc.constant({ ...DEFINITION, outputSchema: {} }),
  )
  fc.assert(
    fc.property(richSpec, richCall, past, other, (spec, call, events, definition) => {
      const policy = { ...spec, pins: [{ server: 'billing', tool: 'refund', digest: definitionDigest(DEFINITION) }] }
      const refund = { ...call, server: 'billing', tool: 'refund', definition }
      expect(under([policy], refund, events).decision.effect).toBe('Deny')
      expect(visible(preparedOf([policy]), 'billing', 'refund', definition)).toBe(false)
      expect(under([policy], { ...refund, tool: 'send' }, events).decision.effect).toBe('Deny')
    }),
    { numRuns: 300 },
  )
})
test('a policy that observes changes nothing but what was observed', () => {
  fc.assert(
    fc.property(richSpec, richSpec, richCall, past, (spec, tried, call, events) => {
      // The class of a tool is what any rule says it is: the one thing a policy that observes may tell of it.
      const rules = tried.tools?.map(({ class: _c, otherwise: _o, ...rule }) => rule)
      const observer: PolicySpec = { ...tried, tools: rules, mode: 'Observe' }
      const { observed: _, ...decision } = under([spec, observer], pinned(call), events).decision
      expect(decision).toEqual(under([spec], pinned(call), events).decision)
    }),
    { numRuns: 300 },
  )
})

test('what is redacted is in no reason, finding or fact', () => {
  const secret = fc.stringMatching(/^[a-z]{6}-hidden-[0-9]{6}$/)
  const redact: PolicySpec['redact'] = [{ match: { tools: ['*'] }, arguments: ['deep', 'to', 'note'] }]
  fc.assert(
    fc.property(richSpec, richCall, past, secret, (spec, call, events, hidden) => {
      const given = (
        typeof call.arguments === 'object' && !Array.isArray(call.arguments) ? call.arguments : {}
      ) as object
      const places: { [name: string]: Json } = { deep: { x: hidden }, to: [{ email: hidden }, hidden], note: hidden }
      const assessment = under([{ ...spec, redact }], { ...call, arguments: { ...given, ...places } }, events)
      expect(JSON.stringify(assessment)).not.toContain(hidden)
    }),
    { numRuns: 1_000 },
  )
})

test('numbers are compared as the decimals they were written as', () => {
  const digits = fc.stringMatching(/^(?:0|[1-9][0-9]{0,24})(?:\.[0-9]{1,12})?$/)
  const units = (text: string): bigint => {
    const [whole = '', fraction = ''] = text.split('.')
    return BigInt(whole + fraction.padEnd(12, '0'))
  }
  // Thousands with a dot can be read in two ways, and are refused as texts.
  const plain = digits.filter((text) => !/^[1-9][0-9]{0,2}\.[0-9]{3}$/.test(text))
  const near = plain.chain((text) =>
    fc.tuple(fc.constant(text), fc.oneof(plain, fc.constant(text), fc.constant(nextAfter(text)))),
  )
  fc.assert(
    fc.property(near, fc.constantFrom('min', 'max'), ([bound, value], kind) => {
      const spec: PolicySpec = {
        tools: [{ name: 'r', match: { tools: ['*'] }, effect: 'Allow', where: [{ arg: 'x', [kind]: bound }] }],
      }
      const { effect } = under([spec], { server: 'billing', tool: 'refund', arguments: { x: value } }, []).decision
      const wanted = kind === 'min' ? units(value) >= units(bound) : units(value) <= units(bound)
      expect([bound, value, effect]).toEqual([bound, value, wanted ? 'Allow' : 'Deny'])
    }),
    { numRuns: 1_000 },
  )
})
/** One unit more in the last of twelve places. */
const nextAfter = (text: string): string => {
  const [whole = '', fraction = ''] = text.split('.')
  return `${whole}.${fraction.padEnd(11, '0').slice(0, 11)}1`
}

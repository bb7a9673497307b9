import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PolicySpec } from '../api/gen/types.ts'
import type { DecisionRecord } from '../api/receipt.ts'
import { decideAnswer, decideOther, offered, offersAny } from './decide-other.ts'
import { newHistory } from './history/history.ts'
import type { OtherCall } from './other-call.ts'
import { checkPolicy } from './policy-check.ts'
import { prepare } from './prepare.ts'
import type { Json } from './strict.ts'
import { spec as toolSpec } from './testing/arbitrary.ts'
import { answer, otherCall, otherSpec } from './testing/arbitrary-other.ts'
import { NOW, remitOf } from './testing/remit.ts'
import { uriProblem } from './uri.ts'

const under = (specs: PolicySpec[], cluster: PolicySpec[] = []) => prepare(remitOf(specs, cluster))
const decideUnder = (specs: PolicySpec[], call: OtherCall, cluster: PolicySpec[] = []): DecisionRecord => {
  const prepared = under(specs, cluster)
  return decideOther(prepared, call, { ...newHistory(prepared), loaded: true }, NOW)
}
const OPENNESS = { Deny: 0, Ask: 1, Draft: 2, Allow: 3 }
const opennessOf = (...of: Parameters<typeof decideUnder>) => OPENNESS[decideUnder(...of).effect]

test('the policies tried here are ones that are accepted, and every outcome is reached', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(otherSpec, otherCall, answer, (policy, call, said) => {
      expect(checkPolicy(policy)).toEqual([])
      const { effect, code } = decideUnder([policy], call)
      seen.add(`${call.type} ${effect} ${code ?? ''}`)
      if (call.type !== 'request' || effect !== 'Allow') return
      const answered = decideAnswer(under([policy]), call, said)
      seen.add(`answer ${answered.effect} ${answered.code ?? ''}`)
    }),
    { numRuns: 1500 },
  )
  const denied = ['ConstraintFailed', 'DeniedByInvariant', 'DeniedByRule', 'NoRuleAllows'].map((code) => `Deny ${code}`)
  const asked = ['Allow ', 'Ask WaitingForPerson', ...denied]
  const outcomes = {
    resource: [...asked, 'Deny UriNotPlain'],
    prompt: [...asked, 'Deny ConstraintError'],
    request: ['Allow ', ...denied, 'Deny ConstraintError'],
    answer: ['Allow ', 'Deny ConstraintError', 'Deny ConstraintFailed'],
  }
  const all = Object.entries(outcomes).flatMap(([type, each]) => each.map((outcome) => `${type} ${outcome}`))
  expect([...seen].sort()).toEqual(all.sort())
})

test('the order of rules changes nothing, not even what is said', () => {
  const reversed = (spec: PolicySpec): PolicySpec =>
    Object.fromEntries(Object.entries(spec).map(([key, list]) => [key, (list as unknown[]).toReversed()]))
  fc.assert(
    fc.property(otherSpec, otherSpec, otherCall, (one, two, call) => {
      const [a, b] = [decideUnder([one, two], call), decideUnder([reversed(one), reversed(two)], call)]
      expect(b).toEqual(a)
    }),
  )
})

test('what no rule gives is denied, and rules about tools give nothing', () => {
  fc.assert(
    fc.property(otherSpec, toolSpec, otherCall, (policy, tools, call) => {
      const list = ({ resource: 'resources', prompt: 'prompts', request: 'requests' } as const)[call.type]
      const { [list]: _, ...without } = policy
      expect(decideUnder([without, tools], call).effect).toBe('Deny')
      expect(offered(under([without, tools]), call.type, call.server, call.name)).toBe(false)
      expect(offersAny(under([without, tools]), call.type, call.server)).toBe(false)
    }),
  )
})

test('adding a Deny rule, a guard or an invariant never widens, and a ClusterAgentPolicy only restricts', () => {
  const restricting = otherSpec.map(
    (spec): PolicySpec => ({
      ...(spec.guards ? { guards: spec.guards } : {}),
      ...(spec.invariants ? { invariants: spec.invariants } : {}),
      resources: (spec.resources ?? []).map((rule) => ({ ...rule, effect: 'Deny' as const })),
      prompts: (spec.prompts ?? []).map((rule) => ({ ...rule, effect: 'Deny' as const })),
      requests: (spec.requests ?? []).map(({ answer: _, ...rule }) => ({ ...rule, effect: 'Deny' as const })),
    }),
  )
  fc.assert(
    fc.property(otherSpec, restricting, otherCall, (policy, more, call) => {
      expect(checkPolicy(more, 'Cluster')).toEqual([])
      const before = opennessOf([policy], call)
      expect(opennessOf([policy, more], call)).toBeLessThanOrEqual(before)
      expect(opennessOf([policy], call, [more])).toBeLessThanOrEqual(before)
    }),
    { numRuns: 500 },
  )
})

test('a Deny rule without constraints wins over everything that gives', () => {
  fc.assert(
    fc.property(otherSpec, otherCall, (policy, call) => {
      const never: PolicySpec = {
        resources: [{ name: 'never', match: { uris: ['*'] }, effect: 'Deny' }],
        prompts: [{ name: 'never-prompts', match: { prompts: ['*'] }, effect: 'Deny' }],
        requests: [{ name: 'never-requests', match: { servers: ['*'] }, effect: 'Deny' }],
      }
      const prepared = under([policy, never])
      expect(decideUnder([policy, never], call).effect).toBe('Deny')
      expect(offered(prepared, call.type, call.server, call.name)).toBe(false)
      expect(offersAny(prepared, call.type, call.server)).toBe(false)
      expect(decideUnder([{ ...policy, mode: 'Observe' }], call, [never]).effect).toBe('Deny')
    }),
  )
})

test('what could be allowed or wait is offered, by its name, by a template and as a capability', () => {
  fc.assert(
    fc.property(otherSpec, otherCall, fc.nat(), fc.boolean(), (policy, call, cut, observed) => {
      const specs = observed ? [{ ...policy, mode: 'Observe' as const }] : [policy]
      if (decideUnder(specs, call).effect === 'Deny') return
      const prepared = under(specs)
      const { type, server, name } = call
      expect(offered(prepared, type, server, name)).toBe(true)
      const mode = (call.arguments as { mode?: unknown }).mode ?? 'form'
      expect(offersAny(prepared, type, server)).toBe(true)
      if (type === 'request') expect(offersAny(prepared, type, server, name)).toBe(true)
      if (name === 'elicitation/create' && typeof mode === 'string')
        expect(offersAny(prepared, type, server, name, mode)).toBe(true)
      if (type === 'resource')
        expect(offered(prepared, type, server, name.slice(0, cut % name.length), true)).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('a resource that is listed can be read: its URI says all there is to say', () => {
  fc.assert(
    fc.property(otherSpec, otherCall, (policy, call) => {
      if (call.type !== 'resource') return
      const listed = offered(under([policy]), 'resource', call.server, call.name)
      expect(listed).toBe(decideUnder([policy], call).effect !== 'Deny')
    }),
  )
})

test('no URI that is not plain is ever allowed, observed or not', () => {
  const part = fc.constantFrom(
    'file:///a/',
    'memo:',
    '..',
    '/',
    'x.md',
    '%2e%2e',
    '%2f',
    '\\',
    '#',
    '@',
    'A',
    ' ',
    '%00',
  )
  const open: PolicySpec = { resources: [{ name: 'all', match: { uris: ['*'] }, effect: 'Allow' }] }
  fc.assert(
    fc.property(fc.array(part, { maxLength: 7 }), fc.boolean(), (parts, observe) => {
      const name = parts.join('')
      const call: OtherCall = { type: 'resource', server: 'billing', name, arguments: { uri: 'file:///a/x.md' } }
      const specs: PolicySpec[] = observe ? [{ mode: 'Observe' }] : [open]
      expect(decideUnder(specs, call).effect === 'Allow').toBe(uriProblem(name) === undefined)
    }),
    { numRuns: 3000 },
  )
})

test('adding a policy in Observe changes nothing but what was observed', () => {
  fc.assert(
    fc.property(otherSpec, otherSpec, otherCall, (policy, tried, call) => {
      const { observed, ...decision } = decideUnder([policy, { ...tried, mode: 'Observe' }], call)
      expect(decision).toEqual(decideUnder([policy], call))
      expect(observed?.effect ?? decision.effect).toBe(decideUnder([policy, tried], call).effect)
    }),
  )
})

test('an answer leaves only where its request was let through, and shows nothing of itself', () => {
  fc.assert(
    fc.property(
      otherSpec,
      otherCall,
      answer,
      fc.stringMatching(/^secret-[a-z0-9]{12}$/),
      (policy, call, said, secret) => {
        if (call.type !== 'request') return
        const given = { ...(said as object), action: secret, content: { password: secret } } as Json
        const decision = decideAnswer(under([policy]), call, given)
        if (decideUnder([policy], call).effect !== 'Allow') expect(decision.effect).toBe('Deny')
        expect(decision.reason).not.toContain(secret)
      },
    ),
  )
})

test('what servers say of their tools, and pins of them, change nothing', () => {
  fc.assert(
    fc.property(otherSpec, otherCall, (policy, call) => {
      const digest = `sha256:${'0'.repeat(64)}`
      const pinned: PolicySpec = { ...policy, pins: [{ server: call.server, tool: 'other', digest }] }
      expect(decideUnder([pinned], call)).toEqual(decideUnder([policy], call))
    }),
  )
})

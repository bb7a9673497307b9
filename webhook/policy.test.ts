import { expect, test } from 'vitest'
import { validateOwnerGroup, validatePolicy } from './policy.ts'
import type { Review, Verdict } from './review.ts'

const NOW = Date.parse('2026-11-21T02:00:00Z')
const review = (kind: string, spec: object): Review => ({
  uid: 'u',
  operation: 'CREATE',
  kind: { group: 'remit.dev', kind },
  namespace: 'payments',
  name: 'x',
  userInfo: { username: 'ana' },
  object: { metadata: { name: 'x' }, spec },
})
const codes = (verdict: Verdict) => (verdict.allowed ? [] : verdict.causes.map((c) => `${c.code} ${c.field}`))
const rule = { name: 'r', match: { servers: ['billing'], tools: ['refund'] }, effect: 'Allow' }

test('a policy passes; mistakes are refused, every field at once', () => {
  expect(validatePolicy(review('AgentPolicy', { tools: [rule] }))).toEqual({ allowed: true, patch: [], warnings: [] })
  const spoiled = { ...rule, effect: 'Permit', limits: [{ per: '24h' }], priority: 1 }
  expect(codes(validatePolicy(review('AgentPolicy', { tools: [spoiled] })))).toEqual([
    'PolicyUnsupported spec.tools[0].priority',
    'PolicyInvalid spec.tools[0].effect',
    'PolicyInvalid spec.tools[0].limits[0]',
  ])
})

test('warnings are one line each, within what the API server passes on', () => {
  const many = Array.from({ length: 20 }, (_, index) => ({
    ...rule,
    name: `${'n'.repeat(60)}-${index}`,
    match: { tools: [`tool_${index}`] },
    where: [{ arg: `${'a'.repeat(200)}`, max: '50.00' }],
  }))
  const verdict = validatePolicy(review('AgentPolicy', { tools: many }))
  const warnings = verdict.allowed ? (verdict.warnings ?? []) : []
  expect(warnings).toHaveLength(16)
  expect(warnings.at(-1)).toBe('and 5 more: kubectl remit policy lint shows all of them.')
  for (const line of warnings) expect(Array.from(line).length).toBeLessThanOrEqual(256)
  for (const line of warnings) expect(line).not.toMatch(/\n/)
  expect(warnings.join('').length).toBeLessThanOrEqual(4096)
})

test('a ClusterAgentPolicy only restricts', () => {
  expect(codes(validatePolicy(review('ClusterAgentPolicy', { tools: [rule] })))).toEqual([
    'PolicyInvalid spec.tools[0].effect',
  ])
})

test('an owner group needs somebody who answers now', () => {
  const members = [{ name: 'ana' }]
  const later = { rotation: { timeZone: 'UTC', start: '2030-01-01T00:00', every: { unit: 'Week' }, order: [['ana']] } }
  expect(codes(validateOwnerGroup(review('OwnerGroup', { members, onCall: { owner: 'ana' } }), NOW))).toEqual([])
  expect(codes(validateOwnerGroup(review('OwnerGroup', { members, onCall: later }), NOW))).toEqual([
    'NobodyOnCall spec.onCall',
  ])
  expect(codes(validateOwnerGroup(review('OwnerGroup', { members, onCall: later, fallback: ['ana'] }), NOW))).toEqual(
    [],
  )
  expect(codes(validateOwnerGroup(review('OwnerGroup', { members: [], onCall: { owner: 'ana' } }), NOW))).toContain(
    'OwnerGroupInvalid spec.members',
  )
})

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

test('a policy this version enforces passes; what it does not enforce is refused, every field at once', () => {
  expect(codes(validatePolicy(review('AgentPolicy', { tools: [rule] })))).toEqual([])
  const found = codes(
    validatePolicy(
      review('AgentPolicy', { tools: [{ ...rule, effect: 'Draft', limits: [{ per: '24h', calls: 1 }] }] }),
    ),
  )
  expect(found).toContain('PolicyUnsupported spec.tools[0].effect')
  expect(found).toContain('PolicyUnsupported spec.tools[0].limits')
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

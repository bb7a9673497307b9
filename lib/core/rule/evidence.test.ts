import { expect, test } from 'vitest'
import type { PolicySpec } from '../../api/gen/types.ts'
import { agentUnder } from '../testing/agent.ts'

const spec: PolicySpec = {
  tools: [
    { name: 'reads', match: { tools: ['get_*'] }, effect: 'Allow' },
    {
      name: 'refunds',
      match: { tools: ['refund'] },
      effect: 'Allow',
      evidence: [{ tool: 'billing/get_invoice', within: '10m', same: { invoice_id: 'id' } }],
    },
  ],
}
const refund = { invoice_id: 17 }
const MINUTE = 60_000

test('a call needs the earlier one, for the same object, that succeeded, in time', () => {
  const agent = agentUnder(spec)
  expect(agent.call('refund', refund)).toMatchObject({
    code: 'EvidenceMissing',
    reason:
      'billing/get_invoice for the same invoice_id did not succeed in the last 10m; refunds allows it after that.',
  })
  agent.call('get_invoice', { id: 18 })
  agent.call('mail/get_invoice', { id: 17 })
  agent.call('get_invoice', { id: '17' })
  agent.call('get_invoice', { id: 17 }, { outcome: 'error' })
  agent.call('get_invoice', { id: 17 }, { outcome: 'timeout' })
  agent.call('get_invoice', { id: 17 }, { outcome: 'open' })
  expect(agent.call('refund', refund).code).toBe('EvidenceMissing')
  agent.call('get_invoice', { id: 17 })
  expect(agent.call('refund', refund).effect).toBe('Allow')
  expect(agent.wait(10 * MINUTE - 1).call('refund', refund).effect).toBe('Allow')
  expect(agent.wait(1).call('refund', refund).effect).toBe('Deny')
})

test('an argument that has to be the same has to be there', () => {
  expect(agentUnder(spec).call('refund', {}).reason).toBe(
    'invoice_id is missing, so refunds cannot be evaluated and the call is denied.',
  )
})

test('long texts are compared whole, though only their digest is kept', () => {
  const agent = agentUnder(spec)
  const id = 'x'.repeat(5_000)
  const { record } = agent.assess('get_invoice', { id })
  expect(record).toEqual({ id: [expect.stringMatching(/^sha256:[0-9a-f]{64}$/)] })
  expect(agent.call('refund', { invoice_id: id }).effect).toBe('Allow')
  expect(agent.call('refund', { invoice_id: `${id}y` }).effect).toBe('Deny')
})

test('evidence of any object lasts a day where nothing else is said', () => {
  const agent = agentUnder({
    tools: [
      { name: 'r', match: { tools: ['*'] }, effect: 'Allow', evidence: [{ tool: 'billing/get_*' }] },
      ...spec.tools!,
    ],
  })
  expect(agent.call('close').effect).toBe('Deny')
  agent.call('get_x')
  expect(agent.wait(24 * 60 * MINUTE - 1).call('close').effect).toBe('Allow')
  expect(agent.wait(1).call('close').effect).toBe('Deny')
})

import { expect, test } from 'vitest'
import type { AgentIdentity } from '../../api/gen/types.ts'
import { networkPolicy } from './network-policy.ts'

const agent = { metadata: { name: 'bot', namespace: 'payments', uid: 'u1' }, spec: {} } as AgentIdentity

test('nothing in, nothing out, on the pods of this very agent', () => {
  const { spec, metadata } = networkPolicy(agent, [])
  expect(spec).toEqual({
    podSelector: { matchLabels: { 'remit.dev/agent-id': 'u1' } },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [],
    egress: [],
  })
  expect(metadata).toMatchObject({ name: 'agent-bot', finalizers: ['remit.dev/pod-gone'] })
})

test.each([
  [
    'pods of the namespace',
    { pods: { app: 'b' }, ports: [80] },
    [{ to: [{ podSelector: { matchLabels: { app: 'b' } } }], ports: [{ protocol: 'TCP', port: 80 }] }],
  ],
  [
    'pods of another',
    { pods: { app: 'b' }, namespace: 'sys', ports: ['http'] },
    [
      {
        to: [
          {
            podSelector: { matchLabels: { app: 'b' } },
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'sys' } },
          },
        ],
        ports: [{ protocol: 'TCP', port: 'http' }],
      },
    ],
  ],
  [
    'addresses on every port, where a policy says so',
    { cidr: '192.0.2.0/24', ports: [] },
    [{ to: [{ ipBlock: { cidr: '192.0.2.0/24' } }] }],
  ],
  ['an empty selector would be every pod: left out', { pods: {}, ports: [80] }, []],
  ['pods without a port would be every port: left out', { pods: { app: 'b' }, ports: [] }, []],
])('%s', (_, target, egress) => {
  expect(networkPolicy(agent, [target]).spec.egress).toEqual(egress)
})

test('the order and repetition of what is found never change the result', () => {
  const a = { pods: { app: 'a' }, ports: [2, 1, 2] }
  const b = { cidr: '192.0.2.1/32', ports: [443] }
  expect(networkPolicy(agent, [a, b, a])).toEqual(networkPolicy(agent, [b, { ...a, ports: [1, 2] }]))
})

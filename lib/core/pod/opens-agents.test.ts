import { expect, test } from 'vitest'
import { type NetworkPolicyShape, opensAgents } from './opens-agents.ts'

const open = { egress: [{}] }
const table: [string, boolean, string, NetworkPolicyShape['spec']][] = [
  ['everything selected, egress open', true, 'x', { podSelector: {}, ...open }],
  ['no selector at all', true, 'x', open],
  ['ingress open', true, 'x', { podSelector: {}, ingress: [{}] }],
  ['selected by an agent label', true, 'x', { podSelector: { matchLabels: { 'remit.dev/agent': 'bot' } }, ...open }],
  [
    'selected by a common label agents may carry',
    true,
    'x',
    { podSelector: { matchLabels: { 'app.kubernetes.io/name': 'a' } }, ...open },
  ],
  [
    'selected by what the API server copies from the node',
    true,
    'x',
    { podSelector: { matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'Exists' }] }, ...open },
  ],
  [
    'a label merely not being there excludes nobody',
    true,
    'x',
    { podSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, ...open },
  ],
  [
    'NotIn holds for pods without the label',
    true,
    'x',
    { podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['a'] }] }, ...open },
  ],
  [
    'agents excluded by name',
    false,
    'x',
    { podSelector: { matchExpressions: [{ key: 'remit.dev/agent', operator: 'DoesNotExist' }] }, ...open },
  ],
  ['a label agents never carry', false, 'x', { podSelector: { matchLabels: { app: 'web' } }, ...open }],
  [
    'the same as an expression',
    false,
    'x',
    { podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] }, ...open },
  ],
  ['default deny', false, 'x', { podSelector: {} }],
  ['default deny with empty lists', false, 'x', { podSelector: {}, ingress: [], egress: [] }],
  ["the agent's own", false, 'agent-bot', { podSelector: {}, ...open }],
]
test.each(table)('%s: %s', (_, expected, name, spec) => {
  expect(opensAgents({ metadata: { name }, spec })).toBe(expected)
})

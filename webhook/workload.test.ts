import { expect, test } from 'vitest'
import type { Review } from './review.ts'
import { validateWorkload } from './workload.ts'

const template = (change: { labels?: object; account?: string } = {}) => ({
  metadata: { labels: change.labels ?? { app: 'x' } },
  spec: { containers: [{ image: 'bot:1' }], ...(change.account ? { serviceAccountName: change.account } : {}) },
})
const review = (kind: string, name: string, spec: object, operation: 'CREATE' | 'UPDATE' = 'CREATE'): Review => ({
  uid: 'u',
  operation,
  kind: { group: 'apps', kind },
  namespace: 'payments',
  name,
  userInfo: { username: 'ana' },
  object: { metadata: { name }, spec },
})
const fields = (r: Review) => {
  const verdict = validateWorkload(r)
  return verdict.allowed ? [] : verdict.causes.map((c) => c.field)
}

test.each<[string, Review, string[]]>([
  ["a name of one's own", review('Deployment', 'web', { template: template() }), []],
  ['agent-*', review('Deployment', 'agent-bot', { template: template() }), ['metadata.name']],
  ['agent-* that was there before', review('Deployment', 'agent-bot', { template: template() }, 'UPDATE'), []],
  [
    "an agent's account",
    review('StatefulSet', 'web', { template: template({ account: 'agent-bot' }) }),
    ['spec.template.spec.serviceAccountName'],
  ],
  [
    "an agent's label",
    review('Job', 'web', { template: template({ labels: { 'remit.dev/agent': 'bot' } }) }),
    ['spec.template.metadata.labels[remit.dev/agent]'],
  ],
  [
    'in a CronJob',
    review('CronJob', 'web', { jobTemplate: { spec: { template: template({ account: 'agent-bot' }) } } }),
    ['spec.jobTemplate.spec.template.spec.serviceAccountName'],
  ],
  [
    'all at once',
    review('Deployment', 'agent-bot', {
      template: template({ account: 'agent-bot', labels: { 'remit.dev/agent-id': 'x' } }),
    }),
    ['metadata.name', 'spec.template.spec.serviceAccountName', 'spec.template.metadata.labels[remit.dev/agent-id]'],
  ],
])('%s', (_, r, expected) => {
  expect(fields(r)).toEqual(expected)
})

test('the refusal shows the AgentIdentity to make instead, from what was asked for', () => {
  const verdict = validateWorkload(review('Deployment', 'agent-bot', { template: template() }))
  expect(verdict.allowed ? '' : verdict.causes.at(-1)?.message).toMatch(
    /kind: AgentIdentity\n {2}metadata: \{name: bot, namespace: payments\}[\s\S]*workload: \{image: "bot:1"\}/,
  )
})

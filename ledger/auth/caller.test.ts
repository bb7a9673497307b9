import { expect, test } from 'vitest'
import { sidecarOf } from './caller.ts'

const token = { username: '', namespace: 'payments', expiresAt: 1, pod: { name: 'agent-bot', uid: 'u' } }

test('an agent is named by its ServiceAccount', () => {
  expect(sidecarOf({ ...token, serviceAccount: 'agent-bot' })).toEqual({
    namespace: 'payments',
    agent: 'bot',
    podName: 'agent-bot',
    podUID: 'u',
    expiresAt: 1,
  })
})
test.each(['default', 'agent-', 'agentbot', 'my-agent-bot'])('%s is not an agent', (serviceAccount) => {
  expect(() => sidecarOf({ ...token, serviceAccount })).toThrow('only agents may')
})
test("a pod of another name, though it runs under the account, is not the agent's", () => {
  const pod = { name: 'debug', uid: 'u' }
  expect(() => sidecarOf({ ...token, serviceAccount: 'agent-bot', pod })).toThrow('the pod is not the agent')
})

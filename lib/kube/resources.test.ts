import { expect, test } from 'vitest'
import { agentIdentities, nodes, pathOf, pods } from './resources.ts'

test.each([
  [pods, {}, '/api/v1/pods'],
  [pods, { namespace: 'a', name: 'b', subresource: 'status' }, '/api/v1/namespaces/a/pods/b/status'],
  [nodes, { name: 'n', namespace: 'ignored' }, '/api/v1/nodes/n'],
  [agentIdentities, { namespace: 'a' }, '/apis/remit.dev/v1alpha1/namespaces/a/agentidentities'],
])('%o at %o', (kind, target, path) => {
  expect(pathOf(kind, target)).toBe(path)
})

test.each(['../secrets/x', 'a/b', '%2e', 'x?y=1', '#'])('the name %s stays one segment', (name) => {
  const url = new URL(pathOf(pods, { namespace: 'a', name }), 'https://host')
  expect(url.pathname.startsWith('/api/v1/namespaces/a/pods/')).toBe(true)
  expect(url.pathname.split('/').length).toBe(7)
  expect(url.search + url.hash).toBe('')
})

test.each(['', '.', '..'])('the name "%s" names nothing', (name) => {
  expect(() => pathOf(pods, { namespace: 'a', name })).toThrow()
})

test('a namespaced object without a namespace is our bug, not all namespaces', () => {
  expect(() => pathOf(pods, { name: 'x' })).toThrow('needs a namespace')
})

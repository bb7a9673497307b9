import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadKubeConfig } from './kubeconfig.ts'

const dir = mkdtempSync(join(tmpdir(), 'remit-kubeconfig-'))
afterAll(() => rmSync(dir, { recursive: true }))

const file = (name: string, contexts: string[], server: string) => {
  const path = join(dir, name)
  const named = (fields: object) => contexts.map((each) => ({ name: each, ...fields }))
  const config = {
    clusters: named({ cluster: { server } }),
    users: named({ user: { token: name } }),
    contexts: contexts.map((each) => ({ name: each, context: { cluster: each, user: each } })),
    'current-context': contexts[0],
  }
  writeFileSync(path, JSON.stringify(config))
  return path
}

test('of several files the first one’s names win, as with kubectl', () => {
  const files = [file('one', ['a', 'shared'], 'https://one'), file('two', ['b', 'shared'], 'https://two')]
  const config = loadKubeConfig({ from: 'files', files, context: 'shared' })
  expect(config.getCurrentCluster()?.server).toBe('https://one')
  expect(config.getContexts().map(({ name }) => name)).toEqual(['a', 'shared', 'b'])
  expect(loadKubeConfig({ from: 'files', files }).getCurrentContext()).toBe('a')
})

test('a context that is not there is an error, never the current one instead', () => {
  const files = [file('three', ['a'], 'https://three')]
  expect(() => loadKubeConfig({ from: 'files', files, context: 'prod' })).toThrow('no context prod')
})

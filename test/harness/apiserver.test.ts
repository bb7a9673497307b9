import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isForbidden } from '../../lib/kube/errors.ts'
import { list } from '../../lib/kube/objects.ts'
import { namespaces, ownerGroups, secrets } from '../../lib/kube/resources.ts'
import { type Apiserver, startApiserver } from './apiserver.ts'
import { eventually } from './eventually.ts'
import { createNamespace, serviceAccountToken } from './world.ts'

let server: Apiserver
beforeAll(async () => {
  server = await startApiserver({ crds: true })
}, 90_000)
afterAll(() => server?.stop())

test('the repository’s own kinds are served', async () => {
  expect((await list(server.client, ownerGroups)).items).toEqual([])
})

test('users, groups and ServiceAccounts are who they say, with no more rights than granted', async () => {
  await createNamespace(server.client, 'people')
  const whoami = async (client: Apiserver['client']) => {
    const review = await client.request<{ status: { userInfo: { username: string; groups: string[] } } }>(
      'POST',
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      { body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' } },
    )
    return review.status.userInfo
  }
  const ana = await server.clientAs({ name: 'ana@corp.example', groups: ['team:billing'] })
  expect(await whoami(ana)).toMatchObject({
    username: 'ana@corp.example',
    groups: expect.arrayContaining(['team:billing']),
  })
  await expect(list(ana, secrets, { namespace: 'people' })).rejects.toSatisfy(isForbidden)
  const token = await serviceAccountToken(server.client, { namespace: 'people', name: 'default' })
  const account = await whoami(server.clientWithToken(token))
  expect(account.username).toBe('system:serviceaccount:people:default')
})

test('state outlives kill -9 of the API server', async () => {
  await createNamespace(server.client, 'before-the-kill')
  await server.kill()
  await expect(list(server.client, namespaces, { timeoutMs: 1_000 })).rejects.toThrow('ECONNREFUSED')
  await server.restart()
  const names = (await list(server.client, namespaces)).items.map(({ metadata }) => metadata.name)
  expect(names).toContain('before-the-kill')
})

test('nothing is left when the process that started it is killed with -9', async () => {
  const script = fileURLToPath(new URL('./apiserver.orphan.ts', import.meta.url))
  const owner = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const line = await new Promise<string>((resolve) => owner.stdout.once('data', (data) => resolve(String(data))))
  const { dir } = JSON.parse(line) as { dir: string }
  const running = () => execFileSync('ps', ['-eo', 'args']).toString().includes(dir)
  expect(running()).toBe(true)
  owner.kill('SIGKILL')
  await eventually(() => !running() && !existsSync(dir), { what: 'processes and folder gone' })
}, 60_000)

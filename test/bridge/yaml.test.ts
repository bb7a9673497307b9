import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { loadAll } from 'js-yaml'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Apiserver, startApiserver } from '../harness/apiserver.ts'

interface Shown {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace: string }
}
const PATHS: Record<string, string> = {
  Deployment: '/apis/apps/v1/namespaces/payments/deployments',
  Service: '/api/v1/namespaces/payments/services',
}
const page = readFileSync(new URL('../../docs/bridge.md', import.meta.url), 'utf8')
const shown = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].flatMap(([, text]) => loadAll(text!) as Shown[])

let api: Apiserver
const create = (path: string, object: object) =>
  new Promise<{ status: number; text: string; warnings: unknown }>((resolve, reject) => {
    const options = {
      method: 'POST',
      ca: api.ca,
      headers: { authorization: `Bearer ${api.adminToken}`, 'content-type': 'application/json' },
    }
    request(`${api.url}${path}`, options, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve({ status: response.statusCode ?? 0, text, warnings: response.headers.warning })
    })
      .once('error', reject)
      .end(JSON.stringify(object))
  })

beforeAll(async () => {
  api = await startApiserver()
  const labels = { 'pod-security.kubernetes.io/warn': 'restricted', 'pod-security.kubernetes.io/enforce': 'restricted' }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'payments', labels } }
  expect((await create('/api/v1/namespaces', namespace)).status).toBe(201)
})
afterAll(() => api?.stop())

it('shows YAML that a strict API server takes, also where pods are restricted', async () => {
  expect(shown.map(({ kind }) => kind)).toEqual(['Deployment', 'Service'])
  for (const object of shown) {
    const answer = await create(`${PATHS[object.kind]}?fieldValidation=Strict`, object)
    expect(answer).toMatchObject({ status: 201, warnings: undefined })
  }
})

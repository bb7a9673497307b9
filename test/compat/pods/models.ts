import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repoRoot } from '../../../tools/cluster/config.ts'
import { apply, ok } from '../../e2e/support/kubectl.ts'
import { visitor } from '../../e2e/support/probe.ts'

/** The scripted models in a pod of their own, behind a Service. */
export const serveModels = async (namespace: string): Promise<void> => {
  const dir = join(repoRoot, 'test/fixtures/models')
  const files = ['main.ts', 'script.ts', 'openai.ts', 'anthropic.ts']
  const data = Object.fromEntries(files.map((name) => [name, readFileSync(join(dir, name), 'utf8')]))
  const pod = visitor(namespace, 'models', { app: 'models' })
  const container = {
    ...pod.spec.containers[0],
    command: ['/usr/bin/node', '/srv/main.ts'],
    env: [{ name: 'HOST', value: '0.0.0.0' }],
    ports: [{ containerPort: 8080 }],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
    volumeMounts: [{ name: 'program', mountPath: '/srv' }],
  }
  await apply(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'models', namespace },
      data: { ...data, 'package.json': '{"type":"module"}' },
    },
    {
      ...pod,
      spec: { ...pod.spec, containers: [container], volumes: [{ name: 'program', configMap: { name: 'models' } }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'models', namespace },
      spec: { selector: { app: 'models' }, ports: [{ port: 8080 }] },
    },
  )
  await ok(['wait', '-n', namespace, '--for=condition=Ready', 'pod/models', '--timeout=60s'])
}

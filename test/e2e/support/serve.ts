import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repoRoot } from '../../../tools/cluster/config.ts'
import { apply, ok } from './kubectl.ts'
import { visitor } from './probe.ts'

/**
 * Runs a server of test/fixtures/servers that needs nothing but Node in a namespace, as it is (Node takes TypeScript),
 * behind a Service of its name on port 8080.
 */
export const serve = async (
  namespace: string,
  name: 'model',
  env: { name: string; value: string }[] = [],
): Promise<void> => {
  const program = readFileSync(join(repoRoot, 'test/fixtures/servers', name, 'main.ts'), 'utf8')
  const pod = visitor(namespace, name, { app: name })
  const [container] = pod.spec.containers
  await apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { 'main.mts': program } },
    {
      ...pod,
      spec: {
        ...pod.spec,
        containers: [
          {
            ...container,
            command: ['/usr/bin/node', '/srv/main.mts'],
            env,
            ports: [{ containerPort: 8080 }],
            readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
            volumeMounts: [{ name: 'program', mountPath: '/srv' }],
          },
        ],
        volumes: [{ name: 'program', configMap: { name } }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: { app: name }, ports: [{ port: 8080 }] },
    },
  )
  await ok(['wait', '-n', namespace, '--for=condition=Ready', `pod/${name}`, '--timeout=60s'])
}

/** What such a server has printed, line by line. */
export const printedBy = async <T>(namespace: string, name: 'model'): Promise<T[]> =>
  (await ok(['logs', '-n', namespace, name]))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)

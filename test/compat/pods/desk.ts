import { apply, ok } from '../../e2e/support/kubectl.ts'
import { visitor } from '../../e2e/support/probe.ts'
import { eventually } from '../../harness/eventually.ts'
import type { Era } from '../cases.ts'

const JOURNAL = '/journal/calls.ndjson'

/** A desk of that era in a pod of its own, behind a Service of its name; it is started again when it ends. */
export const serveDesk = async (namespace: string, name: string, era: Era): Promise<void> => {
  const pod = visitor(namespace, name, { app: name })
  const env = { ERA: era, HOST: '0.0.0.0', PORT: '8080', JOURNAL }
  const container = {
    ...pod.spec.containers[0],
    image: 'remit.local/demo-desk:dev',
    command: undefined,
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
    ports: [{ containerPort: 8080 }],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
    volumeMounts: [{ name: 'journal', mountPath: '/journal' }],
  }
  const securityContext = { ...pod.spec.securityContext, fsGroup: 65532 }
  await apply(
    {
      ...pod,
      spec: { ...pod.spec, securityContext, containers: [container], volumes: [{ name: 'journal', emptyDir: {} }] },
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

/** What that desk wrote down, also while it is being started again. */
export const journalOfDesk = (namespace: string, name: string): Promise<string> =>
  eventually(
    () =>
      ok([
        ...['exec', '-n', namespace, name, '--', '/usr/bin/node', '-e'],
        `process.stdout.write(require('fs').readFileSync('${JOURNAL}', 'utf8'))`,
      ]),
    { timeoutMs: 60_000, everyMs: 1_000 },
  )

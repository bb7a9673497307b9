import { randomBytes } from 'node:crypto'
import { type Client, createClient } from '../../../lib/kube/client.ts'
import { loadKubeConfig } from '../../../lib/kube/kubeconfig.ts'
import { config } from './config.ts'
import { apply, ok } from './kubectl.ts'

/** The API server without a process for each question. */
export const client: Client = createClient(
  loadKubeConfig({ from: 'files', files: [config.kubeconfig], context: config.context }),
)

/** Label of every namespace these tests make. */
export const MADE_BY = 'e2e.remit.dev/made-by'
const run = randomBytes(2).toString('hex')

/** Makes a namespace of its own for a test file, on which Kubernetes enforces the `restricted` standard. */
export const makeNamespace = async (purpose: string, labels: Record<string, string> = {}): Promise<string> => {
  const name = `e2e-${purpose}-${run}`
  await apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: { [MADE_BY]: run, 'pod-security.kubernetes.io/enforce': 'restricted', ...labels },
    },
  })
  return name
}

/** Ends namespaces in the background. */
export const dropNamespaces = async (...names: string[]): Promise<void> => {
  if (names.length) await ok(['delete', 'namespace', ...names, '--wait=false', '--ignore-not-found'])
}

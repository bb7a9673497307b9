import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { loadAll } from 'js-yaml'
import type { Client } from '../../lib/kube/client.ts'
import { create } from '../../lib/kube/objects.ts'
import { resource } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { ensureBinaries } from '../../tools/cluster/binaries.ts'

export const chartDir = fileURLToPath(new URL('../../charts/remit', import.meta.url))
export const SIDECAR_DIGEST = `sha256:${'1'.repeat(64)}`
export const PREVIOUS_DIGEST = `sha256:${'2'.repeat(64)}`
export const SYSTEM_NAMESPACE = 'remit-system'

/** Runs helm; rejects with its standard error. */
export const helm = async (...args: string[]): Promise<string> => {
  const { helm: binary } = await ensureBinaries(['helm'])
  const { stdout } = await promisify(execFile)(binary, args, { maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

/** What `helm install` would apply, as objects. */
export const renderChart = async (...args: string[]): Promise<KubeObject[]> => {
  const text = await helm(
    ...['template', 'remit', chartDir, '--namespace', SYSTEM_NAMESPACE, '--kube-version', '1.34.4'],
    ...['--set', `images.sidecar.digest=${SIDECAR_DIGEST}`],
    ...['--set', `images.sidecar.previousDigests={${PREVIOUS_DIGEST}}`],
    ...args,
  )
  return (loadAll(text) as (KubeObject | null)[]).filter((object) => object !== null)
}

const plurals: Record<string, [plural: string, scope?: 'Cluster']> = {
  APIService: ['apiservices', 'Cluster'],
  ConfigMap: ['configmaps'],
  Service: ['services'],
  ServiceAccount: ['serviceaccounts'],
  Role: ['roles'],
  RoleBinding: ['rolebindings'],
  ClusterRole: ['clusterroles', 'Cluster'],
  ClusterRoleBinding: ['clusterrolebindings', 'Cluster'],
  MutatingWebhookConfiguration: ['mutatingwebhookconfigurations', 'Cluster'],
  ValidatingWebhookConfiguration: ['validatingwebhookconfigurations', 'Cluster'],
  ValidatingAdmissionPolicy: ['validatingadmissionpolicies', 'Cluster'],
  ValidatingAdmissionPolicyBinding: ['validatingadmissionpolicybindings', 'Cluster'],
}

/** Creates those objects of the chart that are of one of `kinds`, in the given order. */
export const createOf = async (
  client: Client,
  objects: KubeObject[],
  kinds: (keyof typeof plurals)[],
): Promise<void> => {
  for (const kind of kinds) {
    for (const object of objects.filter((o) => o.kind === kind)) {
      const [plural, scope] = plurals[kind]!
      await create(client, resource(object.apiVersion!, kind, plural, scope), object)
    }
  }
}

import type { Client } from '../../lib/kube/client.ts'
import { isAlreadyExists } from '../../lib/kube/errors.ts'
import { create } from '../../lib/kube/objects.ts'
import { namespaces, type Resource, serviceAccounts } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'

/** Creates a namespace with its `default` ServiceAccount: the API server alone has no controller that would. */
export const createNamespace = async (
  client: Client,
  name: string,
  labels: Record<string, string> = {},
): Promise<string> => {
  await createOnce(client, namespaces, { metadata: { name, labels } })
  await createOnce(client, serviceAccounts, { metadata: { name: 'default', namespace: name } })
  return name
}

/** Creates, unless it is there already. */
export const createOnce = async <T extends KubeObject>(client: Client, kind: Resource<T>, object: T): Promise<void> => {
  await create(client, kind, object).catch((error) => {
    if (!isAlreadyExists(error)) throw error
  })
}

/** A token of a ServiceAccount by TokenRequest; `audience` and the pod it is bound to when given. */
export const serviceAccountToken = async (
  client: Client,
  account: { namespace: string; name: string },
  { audience, pod }: { audience?: string; pod?: { name: string; uid: string } } = {},
): Promise<string> => {
  const boundObjectRef = pod && { kind: 'Pod', apiVersion: 'v1', name: pod.name, uid: pod.uid }
  const answer = await client.request<{ status: { token: string } }>(
    'POST',
    `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`,
    {
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences: audience ? [audience] : undefined, boundObjectRef },
      },
    },
  )
  return answer.status.token
}

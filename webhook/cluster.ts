import type { AgentIdentity, OwnerGroup } from '../lib/api/gen/types.ts'
import { CONFIGMAP_ADMISSION, GROUP } from '../lib/api/names.ts'
import { UserError } from '../lib/core/errors.ts'
import type { Client } from '../lib/kube/client.ts'
import { createInformer, type Informer } from '../lib/kube/informer.ts'
import { create, find, list } from '../lib/kube/objects.ts'
import {
  agentIdentities,
  agentPolicies,
  configMaps,
  networkPolicies,
  ownerGroups,
  subjectAccessReviews,
  typed,
} from '../lib/kube/resources.ts'
import { type KubeObject, makeKey } from '../lib/kube/types.ts'
import type { Logger } from '../lib/service/log.ts'
import type { Lookups } from './lookups.ts'
import type { UserInfo } from './review.ts'

/** Written by the operator: what every sidecar of this cluster trusts. */
const CONFIGMAP_TRUST = 'remit-trust'
/** The API server waits 5 s for a review; a lookup that takes longer than this could not be told any more. */
const TIMEOUT = { timeoutMs: 4_000 }

const groups = typed<OwnerGroup & KubeObject>(ownerGroups)
const agents = typed<AgentIdentity & KubeObject>(agentIdentities)

/** Only that a policy exists is asked. */
const nameOnly = ({ apiVersion, kind, metadata: { name, namespace, resourceVersion } }: KubeObject): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace, resourceVersion },
})

/** The lookups of a running cluster: policies and owner groups from caches that `run` keeps current, the rest asked. */
export const clusterLookups = (client: Client, systemNamespace: string, log: Logger) => {
  const policyCache = createInformer({ client, kind: agentPolicies, log, transform: nameOnly })
  const groupCache = createInformer({ client, kind: groups, log })
  const cached = <T extends KubeObject>(informer: Informer<T>, namespace: string, name: string) =>
    informer.cache.get(makeKey(namespace, name))

  const configMap = async (name: string): Promise<Record<string, string>> => {
    const found = await find(client, configMaps, { namespace: systemNamespace, name }, TIMEOUT)
    if (!found?.data) throw new UserError('NotReady', { detail: `the ConfigMap ${name} is not there` })
    return found.data
  }
  const may = async (user: UserInfo, resourceAttributes: Record<string, string>): Promise<boolean> => {
    const { username, uid, groups, extra } = user
    const spec = { user: username, uid, groups, extra, resourceAttributes }
    const review = await create(client, subjectAccessReviews, { metadata: { name: '' }, spec }, TIMEOUT)
    return review.status?.allowed === true
  }
  const lookups: Lookups = {
    agent: (namespace, name) => find(client, agents, { namespace, name }, TIMEOUT),
    policyExists: async (namespace, name) =>
      (cached(policyCache, namespace, name) ?? (await find(client, agentPolicies, { namespace, name }, TIMEOUT))) !==
      undefined,
    ownerGroup: async (namespace, name, fresh = false) =>
      (fresh ? undefined : cached(groupCache, namespace, name)) ??
      (await find(client, groups, { namespace, name }, TIMEOUT)),
    mayUse: (user, namespace, name) =>
      may(user, { verb: 'use', group: GROUP, resource: 'agentpolicies', namespace, name }),
    mayReadSecret: (user, namespace, name) =>
      may(user, { verb: 'get', group: '', resource: 'secrets', namespace, name }),
    networkPolicies: async (namespace) => (await list(client, networkPolicies, { namespace, ...TIMEOUT })).items,
    sidecar: async () => {
      const [admission, trust] = await Promise.all([configMap(CONFIGMAP_ADMISSION), configMap(CONFIGMAP_TRUST)])
      const need = (data: Record<string, string>, key: string) => {
        const value = data[key]
        if (!value) throw new UserError('NotReady', { detail: `${key} is not in its ConfigMap yet` })
        return value
      }
      return {
        image: need(admission, 'sidecarImage'),
        imagePullPolicy: admission.sidecarImagePullPolicy,
        logLevel: admission.sidecarLogLevel,
        ...(admission.sidecarResources ? { resources: JSON.parse(admission.sidecarResources) } : {}),
        cluster: need(trust, 'cluster'),
        ledgerURL: need(trust, 'ledgerURL'),
        ledgerName: need(trust, 'ledgerName'),
        ledgerCA: need(trust, 'ca.pem'),
        anchors: need(trust, 'anchors.json'),
      }
    },
  }
  return {
    lookups,
    /** Keeps the caches current until `signal` aborts. */
    run: (signal: AbortSignal): Promise<unknown> => Promise.all([policyCache.run(signal), groupCache.run(signal)]),
    ready: (): true | string => (policyCache.hasSynced && groupCache.hasSynced) || 'caches are being filled',
  }
}

import type { AgentIdentity, OwnerGroup } from '../lib/api/gen/types.ts'
import { CONFIGMAP_ADMISSION, GROUP, LABEL_AGENT } from '../lib/api/names.ts'
import { canonical } from '../lib/core/canonical.ts'
import { UserError } from '../lib/core/errors.ts'
import type { Client } from '../lib/kube/client.ts'
import { createInformer, type Informer } from '../lib/kube/informer.ts'
import { find, list } from '../lib/kube/objects.ts'
import {
  agentIdentities,
  agentPolicies,
  configMaps,
  networkPolicies,
  ownerGroups,
  typed,
} from '../lib/kube/resources.ts'
import { mayAccess, type ResourceAttributes, type Subject } from '../lib/kube/subject-access.ts'
import { type KubeObject, makeKey } from '../lib/kube/types.ts'
import type { Logger } from '../lib/service/log.ts'
import { remembered } from '../lib/service/remembered.ts'
import type { Lookups } from './lookups.ts'

/** Written by the operator: what every sidecar of this cluster trusts. */
const CONFIGMAP_TRUST = 'remit-trust'
/** The API server waits 5 s for a review; a lookup that takes longer than this could not be told any more. */
const TIMEOUT = { timeoutMs: 4_000 }
/**
 * How long a right that was seen is taken to last: a rollout asks the same of each of its agents. The API server itself
 * takes what an authorization webhook allowed for true for 5 minutes unless told. A right that is missing may be given
 * the next moment, and is asked for each time.
 */
const RIGHTS_MS = 10_000
/** The operator publishes keys and authorities well before it uses them. */
const SETTINGS_MS = 2_000

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

  const settings = remembered<Record<string, string>>({ ms: SETTINGS_MS })
  const configMap = (name: string): Promise<Record<string, string>> =>
    settings(name, async () => {
      const found = await find(client, configMaps, { namespace: systemNamespace, name }, TIMEOUT)
      if (!found?.data) throw new UserError('NotReady', { detail: `the ConfigMap ${name} is not there` })
      return found.data
    })
  const rights = remembered<boolean>({ ms: (allowed) => (allowed ? RIGHTS_MS : 0) })
  const may = (user: Subject, attributes: ResourceAttributes): Promise<boolean> =>
    rights(canonical([user, attributes]), () => mayAccess(client, user, attributes, TIMEOUT))
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
    networkPolicies: async (namespace) => {
      // Not the fences of the agents already there, one for each: the admission policies let nobody else use the label.
      const others = { labelSelector: `!${LABEL_AGENT}` }
      return (await list(client, networkPolicies, { namespace, ...others, ...TIMEOUT })).items
    },
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

import type { AgentIdentity, OwnerGroup } from '../lib/api/gen/types.ts'
import { FINALIZER_AGENT } from '../lib/api/names.ts'
import { canonical } from '../lib/core/canonical.ts'
import { isObject } from '../lib/core/json-rpc.ts'
import { checkOwnerGroup } from '../lib/core/owner-check.ts'
import { opensAgents } from '../lib/core/pod/opens-agents.ts'
import { onCall } from '../lib/core/rotate.ts'
import { stampsOf } from './agentidentity-stamps.ts'
import type { Lookups } from './lookups.ts'
import { allow, type Cause, cause, type Patch, type Review, type Verdict, verdictOf } from './review.ts'

interface Endpoint {
  credentialRef?: unknown
  credentialHeader?: unknown
  api?: unknown
}

/**
 * Defaults that depend on other fields, which the schema's cannot: the header a credential travels in, so that the
 * stored object says it.
 */
const headerDefaults = (spec: Record<string, unknown>): Patch =>
  (['servers', 'models'] as const).flatMap((list) =>
    (Array.isArray(spec[list]) ? (spec[list] as Endpoint[]) : []).flatMap((endpoint, index) =>
      isObject(endpoint) && endpoint.credentialRef !== undefined && endpoint.credentialHeader === undefined
        ? [
            {
              op: 'add' as const,
              path: `/spec/${list}/${index}/credentialHeader`,
              value: endpoint.api === 'Anthropic' ? 'x-api-key' : 'Authorization',
            },
          ]
        : [],
    ),
  )

/** Of a new agent, that it stays until the operator has taken down what it made for it: which it would have to write else. */
const finalizer = ({ operation, object }: Review): Patch => {
  const { finalizers } = object.metadata as { finalizers?: string[] }
  if (operation !== 'CREATE' || finalizers?.includes(FINALIZER_AGENT)) return []
  return finalizers
    ? [{ op: 'add', path: '/metadata/finalizers/-', value: FINALIZER_AGENT }]
    : [{ op: 'add', path: '/metadata/finalizers', value: [FINALIZER_AGENT] }]
}

/** Defaults, stamps and the finalizer. */
export const mutateAgentIdentity = (review: Review, now: number): Verdict => {
  const { spec } = review.object
  // Without a spec there is nothing to stamp; the schema refuses it with its own words.
  if (!isObject(spec)) return allow()
  const { patch, warnings } = stampsOf(review, spec, now)
  return allow([...headerDefaults(spec), ...patch, ...finalizer(review)], warnings)
}

/**
 * What needs other objects to judge: the policies and the owner group exist, somebody in it answers now, the caller may
 * `use` the policies it newly names and read the Secrets it newly sends somewhere, no freeze is lifted in advance, and
 * no NetworkPolicy already there would open the new agent's pod.
 */
export const validateAgentIdentity = async (review: Review, lookups: Lookups, now: number): Promise<Verdict> => {
  const { spec } = review.object as unknown as AgentIdentity
  const before = (review.oldObject as AgentIdentity | undefined)?.spec
  const { namespace } = review
  const known = new Set((before?.policyRefs ?? []).map((ref) => ref.name))
  const causes = await Promise.all([
    ...spec.policyRefs.map((ref, index) =>
      known.has(ref.name) ? undefined : policyCause(review, lookups, ref.name, `spec.policyRefs[${index}].name`),
    ),
    before?.ownerRef.name === spec.ownerRef.name ? undefined : ownerCause(namespace, lookups, spec.ownerRef.name, now),
    ...secretCauses(review, lookups, spec, before),
    ...(before ? [] : [networkCause(namespace, lookups)]),
    before?.unfrozenAt === spec.unfrozenAt ? undefined : unfrozenCause(spec.unfrozenAt, now),
  ])
  return verdictOf(causes.filter((c): c is Cause => c !== undefined))
}

/**
 * The sidecar sends a Secret wherever the AgentIdentity says: who could name any Secret and any address could read it
 * there. So it takes the right to read it, for each endpoint that is new or not what it was.
 */
const secretCauses = (
  { namespace, userInfo }: Review,
  lookups: Lookups,
  spec: AgentIdentity['spec'],
  before: AgentIdentity['spec'] | undefined,
): Promise<Cause | undefined>[] =>
  (['servers', 'models'] as const).flatMap((list) => {
    const known = new Set((before?.[list] ?? []).map((endpoint) => canonical(endpoint)))
    return (spec[list] ?? []).map(async (endpoint, index) => {
      const name = endpoint.credentialRef?.name
      if (name === undefined || known.has(canonical(endpoint))) return undefined
      if (await lookups.mayReadSecret(userInfo, namespace, name)) return undefined
      const field = `spec.${list}[${index}].credentialRef.name`
      return cause(field, name, 'MayNotReadSecret', { user: userInfo.username, name, namespace })
    })
  })

const policyCause = async (
  review: Review,
  lookups: Lookups,
  name: string,
  field: string,
): Promise<Cause | undefined> => {
  const { namespace, userInfo } = review
  const [exists, allowed] = await Promise.all([
    lookups.policyExists(namespace, name),
    lookups.mayUse(userInfo, namespace, name),
  ])
  // Asked first, so that a user without the right does not learn which policies there are.
  if (!allowed) return cause(field, name, 'MayNotUsePolicy', { user: userInfo.username, name, namespace })
  if (!exists) return cause(field, name, 'PolicyMissing', { name, namespace })
  return undefined
}

const ownerCause = async (
  namespace: string,
  lookups: Lookups,
  name: string,
  now: number,
): Promise<Cause | undefined> => {
  const field = 'spec.ownerRef.name'
  const answers = (group: OwnerGroup | undefined) =>
    group !== undefined && checkOwnerGroup(group.spec).length === 0 && onCall(group.spec, now) !== null
  let group = await lookups.ownerGroup(namespace, name)
  if (!answers(group)) group = await lookups.ownerGroup(namespace, name, true)
  if (!group) return cause(field, name, 'OwnerGroupMissing', { name, namespace })
  return answers(group) ? undefined : cause(field, name, 'NobodyOnCall', { name })
}

/** Clocks differ by a little; what is lifted further ahead would lift freezes nobody has looked at. */
const AHEAD_MS = 60_000

const unfrozenCause = (at: string | undefined, now: number): Cause | undefined =>
  at !== undefined && !(Date.parse(at) <= now + AHEAD_MS)
    ? cause('spec.unfrozenAt', at, 'UnfrozenInFuture', { at })
    : undefined

const networkCause = async (namespace: string, lookups: Lookups): Promise<Cause | undefined> => {
  const open = (await lookups.networkPolicies(namespace)).find(opensAgents)
  return (
    open && cause('metadata.namespace', namespace, 'NetworkPolicyOpensAgents', { name: open.metadata.name, namespace })
  )
}

import { canonical } from '../../lib/core/canonical.ts'
import type { NetworkPolicy as Fence } from '../../lib/core/pod/network-policy.ts'
import type { NetworkPolicy } from '../../lib/kube/resources.ts'

/** Without what the server leaves out or fills in: empty lists are absent, absent protocols are TCP. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, plain(inner)] as const)
  const kept = entries.filter(([, inner]) => inner !== undefined)
  return Object.fromEntries(kept)
}

/**
 * Whether a fence is exactly as wanted. An apply's own comparison asks whether everything wanted is there; here one rule
 * too many is a hole.
 */
export const sameFence = (wanted: Fence, found: NetworkPolicy): boolean => {
  const { labels, finalizers = [], ownerReferences = [] } = found.metadata
  return (
    canonical(plain(wanted.spec)) === canonical(plain(found.spec)) &&
    Object.entries(wanted.metadata.labels).every(([key, value]) => labels?.[key] === value) &&
    wanted.metadata.finalizers.every((each) => finalizers.includes(each)) &&
    wanted.metadata.ownerReferences.every(({ uid }) => ownerReferences.some((each) => each.uid === uid))
  )
}

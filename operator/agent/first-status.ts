import type { Verdict } from './verdict.ts'
import type { World } from './world.ts'

/** The API server tells times in whole seconds, so this is two to three of them. */
const PATIENCE_MS = 3_000

/**
 * When the first status of an agent is due, as long as it is worth waiting for: while all it could say is that the pod,
 * made a moment ago, is on its way. What comes of that is most often there first, and then one write tells all; of a
 * thousand new agents these are a thousand writes fewer. Whatever keeps it from running is told at once.
 */
export const firstStatusAt = ({ agent, pods, now }: World, { reason }: Verdict): number | undefined => {
  const made = Date.parse(pods[0]?.metadata.creationTimestamp ?? '')
  if (agent?.status?.conditions?.length || reason !== 'Starting') return undefined
  // A clock that is ahead or behind must not put it off for long.
  const age = now - made
  return age > -PATIENCE_MS && age < PATIENCE_MS ? made + PATIENCE_MS : undefined
}

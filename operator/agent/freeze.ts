import type { Freeze } from '../../lib/api/gen/types.ts'
import type { World } from './world.ts'

/**
 * The last time a breaker of the agent opened. The ledger knows; while it cannot be asked, what was seen last stands, so
 * that a new leader does not call a frozen agent free.
 */
export const lastFreeze = ({ agent, freeze }: World): Freeze | undefined => {
  const seen = agent?.status?.frozen
  if (!freeze || !seen) return freeze ?? seen
  return Date.parse(freeze.at) >= Date.parse(seen.at) ? freeze : seen
}

const liftedAt = ({ agent }: World): number => Date.parse(agent?.spec.unfrozenAt ?? '')

/** The freeze in force: by the same rule as in the sidecar, one is lifted after it happened and never in advance. */
export const freezeOf = (world: World): Freeze | undefined => {
  const freeze = lastFreeze(world)
  const lifted = liftedAt(world)
  return freeze && !(lifted >= Date.parse(freeze.at) && lifted <= world.now) ? freeze : undefined
}

/** When a freeze that is in force ends without anything else happening, in milliseconds since the epoch. */
export const thawAt = (world: World): number | undefined => {
  const freeze = freezeOf(world)
  const lifted = liftedAt(world)
  return freeze && lifted > world.now && lifted >= Date.parse(freeze.at) ? lifted : undefined
}

import { Temporal } from 'temporal-polyfill'
import type { OwnerGroupSpec, Rotation } from '../api/gen/types.ts'

export interface Duty {
  /** Names of members, the one to ask first at the front. */
  names: string[]
  /** RFC 3339, UTC: when this turn began and ends; absent where there are no turns. */
  since?: string
  until?: string
  source: 'owner' | 'rotation' | 'fallback'
}

/**
 * Who answers for the group at `now` (milliseconds since the epoch), or null when nobody does. Turns of days and weeks
 * change at the same local time across daylight saving; turns of hours are counted in elapsed time. A local time that
 * does not exist is read an hour later, one that exists twice as the first. Before `start`, and for names that are not
 * members, the fallback answers. A spec given here is taken as immutable.
 * Throws a RangeError for a zone or start that checkOwnerGroup refuses.
 */
export function onCall(spec: OwnerGroupSpec, now: number): Duty | null {
  const members = new Set(spec.members.map((member) => member.name))
  const known = (names: string[] | undefined): string[] => (names ?? []).filter((name) => members.has(name))
  const { owner, rotation } = spec.onCall
  const turn = rotation === undefined ? undefined : turnAt(rotation, now)
  const names = owner !== undefined ? known([owner]) : known(turn?.names)
  const bounds = { ...(turn?.since ? { since: turn.since } : {}), ...(turn?.until ? { until: turn.until } : {}) }
  if (names.length > 0) return { names, ...bounds, source: owner !== undefined ? 'owner' : 'rotation' }
  const fallback = known(spec.fallback)
  return fallback.length > 0 ? { names: fallback, ...bounds, source: 'fallback' } : null
}

const UNIT_MS = { Hour: 3_600_000, Day: 86_400_000, Week: 604_800_000 }

/** A turn, or the time before the first; `from` and `until` in milliseconds since the epoch. */
interface Turn {
  from: number
  until: number
  names?: string[]
}

/** The turn last looked up: calls come by the thousand within one turn, and calendars are slow. */
const lastTurn = new WeakMap<Rotation, Turn>()

function turnAt(rotation: Rotation, now: number): { names?: string[]; since?: string; until: string } {
  const known = lastTurn.get(rotation)
  const turn = known !== undefined && known.from <= now && now < known.until ? known : findTurn(rotation, now)
  lastTurn.set(rotation, turn)
  const until = iso(turn.until)
  return turn.names === undefined ? { until } : { names: turn.names, since: iso(turn.from), until }
}

function findTurn(rotation: Rotation, now: number): Turn {
  const { count = 1, unit } = rotation.every
  const start = Temporal.PlainDateTime.from(rotation.start)
  const zoned = start.toZonedDateTime(rotation.timeZone)
  const first = zoned.epochMilliseconds
  if (now < first) return { from: Number.NEGATIVE_INFINITY, until: first }
  const handOver = (turn: number): number => {
    if (unit === 'Hour') return first + turn * count * UNIT_MS.Hour
    const days = turn * count * (unit === 'Week' ? 7 : 1)
    return start.add({ days }).toZonedDateTime(rotation.timeZone).epochMilliseconds
  }
  let turn = Math.floor((now - first) / (count * UNIT_MS[unit]))
  // A change of offset moves a hand-over by hours, so the estimate is off by at most one turn of a day or longer.
  while (now < handOver(turn)) turn--
  while (now >= handOver(turn + 1)) turn++
  return { from: handOver(turn), until: handOver(turn + 1), names: rotation.order[turn % rotation.order.length] ?? [] }
}

const iso = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')

import type { ToolClass } from '../../api/gen/types.ts'
import { CLASSES, isStronger } from '../class.ts'
import { covers } from '../glob-set.ts'
import type { Place } from './places.ts'

/** The class of a tool, where none is a case of its own. */
type Class = ToolClass | 'none'

/**
 * Whether every call that `inner` matches is matched by `outer`: exact for names; for classes by what the two rules
 * say, since a tool of a rule with a class has at least that one.
 */
export function reaches(outer: Place, inner: Place): boolean {
  return (
    namesCover(outer.match.servers, inner.match.servers) &&
    namesCover(outer.match.tools, inner.match.tools) &&
    [...classesOf(inner)].every((cls) => classesOf(outer, false).has(cls))
  )
}

const namesCover = (outer: string[] | undefined, inner: string[] | undefined): boolean => {
  if (outer === undefined) return true
  return (inner ?? ['*']).every((name) => outer.includes(name) || covers(outer, name))
}

const restricts = ({ kind, tool }: Place): boolean => kind !== 'tool' || tool?.effect === 'Deny'

/** @param own whether what the rule itself says of its tools' class is taken as known */
function classesOf(place: Place, own = true): Set<Class> {
  const { classes } = place.match
  const matched: Class[] =
    classes === undefined ? [...CLASSES, 'none'] : [...classes, ...(restricts(place) ? (['none'] as const) : [])]
  const least = own ? place.tool?.class : undefined
  if (least === undefined) return new Set(matched)
  return new Set(matched.filter((cls) => cls === least || (cls !== 'none' && isStronger(cls, least))))
}

/** Whether a rule can match no call at all, because its tools are of a stronger class than those it is about. */
export const isOutOfClass = (place: Place): boolean => classesOf(place).size === 0

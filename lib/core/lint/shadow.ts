import type { PolicySpec } from '../../api/gen/types.ts'
import { withControls } from '../controls.ts'
import { isAboutTools, type Place, placesOf } from './places.ts'
import { reaches } from './reach.ts'
import type { Warning } from './warning.ts'

type Says = 'never' | 'Deny' | 'Ask' | 'Draft' | 'Allow'
interface Reach extends Place {
  says: Says
  /** Whether it says so of every call it matches. */
  always: boolean
  /** Whether it says nothing else when what it asks for does not hold. */
  silent: boolean
}

/**
 * Rules that never decide, because another of the policy always does for every call they match, and rules that only
 * repeat another.
 */
export function shadowed(spec: PolicySpec): Warning[] {
  const rules = [...placesOf(spec).flatMap(reachOf), ...floor(spec)]
  const always = rules.filter((rule) => rule.always)
  let comparisons = 0
  return rules.flatMap((rule, index): Warning[] => {
    // Of two rules that say the same of the same calls, the later one is named.
    const by = always.find((other) => {
      if (other === rule || !settles(other, rule)) return false
      comparisons += sizeOf(other) * sizeOf(rule)
      if (comparisons > MAX_COMPARISONS || !reaches(other, rule)) return false
      const twins = rule.always && rule.says === other.says && reaches(rule, other)
      return !twins || rules.indexOf(other) < index
    })
    if (by === undefined || rule.field === 'spec.readOnly') return []
    const same = rule.always && by.says === rule.says
    const what = by.field === 'spec.readOnly' ? 'readOnly: true' : by.name
    const detail = same
      ? `${rule.name} only repeats ${what}`
      : `${rule.name} never decides: ${what} ${VERB[by.says]} every call it matches`
    const fix =
      same || by.says !== 'Allow' ? `Remove it, or narrow ${what}.` : `Narrow ${what}, or put the constraints there.`
    return [{ kind: same ? 'Repeats' : 'Shadowed', field: rule.field, detail, fix }]
  })
}

/** Of names: a policy of many long lists is not worth seconds of whoever admits it. What is beyond is not warned of. */
const MAX_COMPARISONS = 500_000
const sizeOf = ({ match }: Place): number => (match.servers?.length ?? 1) + (match.tools?.length ?? 1)

const VERB: Record<Says, string> = {
  never: 'denies',
  Deny: 'denies',
  Ask: 'asks for',
  Draft: 'drafts',
  Allow: 'allows',
}
const STRENGTH: Record<Says, number> = { never: 4, Deny: 3, Ask: 2, Draft: 1, Allow: 0 }

/** Whether what `other` always says leaves `rule` nothing to say. */
function settles(other: Reach, rule: Reach): boolean {
  if (!speaksOf(other, rule)) return false
  // A guard asks about what some rule gives, and takes nothing from that rule.
  if (other.kind === 'guard' && rule.kind !== 'guard') return false
  if (STRENGTH[other.says] > STRENGTH[rule.says]) {
    // A rule that falls back to something stronger still decides then; nothing is stronger than what denies.
    return other.says === 'never' || other.says === 'Deny' || rule.silent
  }
  return other.says === rule.says && rule.silent
}

/** Whether one rule can be about what the other is about: an invariant that names servers alone is about all of them. */
function speaksOf(other: Reach, rule: Reach): boolean {
  if (isAboutTools(rule) && isAboutTools(other)) return true
  const everything = other.match.tools === undefined && other.match.classes === undefined
  return other.kind === rule.kind || (other.kind === 'invariant' && everything)
}

function reachOf(place: Place): Reach[] {
  const conditions = place.constraints.list.length > 0
  if (place.kind === 'taint') return []
  if (!isAboutTools(place)) {
    const always = !conditions && place.answer === undefined
    return [{ ...place, says: place.effect ?? 'Deny', always, silent: true }]
  }
  if (place.tool === undefined) {
    const says = place.kind === 'invariant' ? 'never' : 'Ask'
    return [{ ...place, says, always: !conditions, silent: true }]
  }
  const { effect = 'Deny', fields, object, limits, evidence, otherwise } = withControls(place.tool)
  const always = !conditions && [fields, object, limits, evidence].every((each) => each === undefined)
  return [{ ...place, says: effect, always, silent: otherwise === undefined }]
}

function floor({ readOnly }: PolicySpec): Reach[] {
  if (readOnly !== true) return []
  const match = { classes: ['Draft', 'Write', 'SideEffect', 'Autonomous'] as const }
  const constraints = { field: '', list: [] }
  const place = { field: 'spec.readOnly', name: 'read-only', match: { classes: [...match.classes] }, constraints }
  return [{ ...place, kind: 'invariant', says: 'never', always: true, silent: true }]
}

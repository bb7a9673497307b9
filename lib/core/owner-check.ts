import { Temporal } from 'temporal-polyfill'
import type { OnCall, OwnerGroupSpec, Rotation } from '../api/gen/types.ts'
import { type Problem, type Problems, problems } from './problem.ts'

const SPEC_KEYS = new Set(['members', 'onCall', 'fallback'])
const CODE = 'OwnerGroupInvalid'

/** Everything that keeps an owner group from always naming the right person: mistakes, and what later versions read. */
export function checkOwnerGroup(spec: OwnerGroupSpec): Problem[] {
  const found = problems()
  for (const key of Object.keys(spec)) {
    if (!SPEC_KEYS.has(key))
      found.at(`spec.${key}`, undefined, 'PolicyUnsupported', 'is not enforced by this version', 'Remove it.')
  }
  const members = new Set<string>()
  spec.members?.forEach(({ name }, index) => {
    if (members.has(name))
      found.at(`spec.members[${index}].name`, name, CODE, 'is used twice', 'Give each member a name of its own.')
    members.add(name)
  })
  if (members.size === 0)
    found.at('spec.members', spec.members, CODE, 'lists nobody', 'List the people who answer for the agents.')
  checkOnCall(spec.onCall, members, found)
  if (spec.fallback !== undefined) checkNames(spec.fallback, 'spec.fallback', members, found)
  return found.list
}

function checkNames(names: string[], field: string, members: Set<string>, found: Problems): void {
  if (!Array.isArray(names) || names.length === 0) {
    found.at(field, names, CODE, 'lists nobody', `Name one of ${[...members].join(', ')}.`)
    return
  }
  names.forEach((name, index) => {
    if (!members.has(name))
      found.at(`${field}[${index}]`, name, CODE, 'is not a member', `Name one of ${[...members].join(', ')}.`)
  })
}

function checkOnCall(onCall: OnCall | undefined, members: Set<string>, found: Problems): void {
  const given = Object.keys(onCall ?? {})
  for (const key of given) {
    if (key === 'owner' || key === 'rotation') continue
    found.at(
      `spec.onCall.${key}`,
      undefined,
      'PolicyUnsupported',
      'is not read by this version',
      'Use owner or rotation.',
    )
  }
  if (given.length !== 1) {
    found.at(
      'spec.onCall',
      onCall,
      CODE,
      'needs exactly one of owner and rotation',
      'Write onCall: {owner: NAME}, or a rotation.',
    )
  }
  if (onCall?.owner !== undefined) {
    if (!members.has(onCall.owner)) {
      found.at('spec.onCall.owner', onCall.owner, CODE, 'is not a member', `Name one of ${[...members].join(', ')}.`)
    }
  }
  if (onCall?.rotation !== undefined) checkRotation(onCall.rotation, members, found)
}

function checkRotation(rotation: Rotation, members: Set<string>, found: Problems): void {
  const field = 'spec.onCall.rotation'
  if (!isZone(rotation.timeZone)) {
    found.at(`${field}.timeZone`, rotation.timeZone, CODE, 'is not a time zone', 'Write a name such as Europe/Berlin.')
  }
  if (!isLocalTime(rotation.start)) {
    const fix = 'Write the local date and time of the first hand-over, without offset: 2026-10-05T09:00.'
    found.at(`${field}.start`, rotation.start, CODE, 'is not a local date and time', fix)
  }
  const { count = 1, unit } = rotation.every ?? {}
  if (!Number.isInteger(count) || count < 1 || count > 1000) {
    found.at(`${field}.every.count`, count, CODE, 'is not a count of turns', 'Write a whole number from 1 to 1000.')
  }
  if (unit !== 'Hour' && unit !== 'Day' && unit !== 'Week') {
    found.at(`${field}.every.unit`, unit, CODE, 'is not a unit', 'Write Hour, Day or Week.')
  }
  if (!Array.isArray(rotation.order) || rotation.order.length === 0) {
    found.at(`${field}.order`, rotation.order, CODE, 'lists nobody', 'List the turns: [[ana], [bo]].')
  } else
    for (const [index, names] of rotation.order.entries()) checkNames(names, `${field}.order[${index}]`, members, found)
}

/** Names only: an offset such as +01:00 would not follow daylight saving, which is what a zone is for. */
function isZone(zone: unknown): boolean {
  if (typeof zone !== 'string' || !/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(zone)) return false
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone)
    return true
  } catch {
    return false
  }
}

function isLocalTime(text: unknown): boolean {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?$/.test(text)) return false
  try {
    Temporal.PlainDateTime.from(text, { overflow: 'reject' })
    return true
  } catch {
    return false
  }
}

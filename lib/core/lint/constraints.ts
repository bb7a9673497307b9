import type { Constraint, PolicySpec } from '../../api/gen/types.ts'
import { shown } from '../quote.ts'
import { looseness } from './expression.ts'
import { placesOf } from './places.ts'
import type { Warning } from './warning.ts'

/** Constraints that let more pass than they seem to. */
export function looseConstraints(spec: PolicySpec): Warning[] {
  return placesOf(spec).flatMap((place) => {
    // What makes a Deny rule apply keeps calls back; everywhere else a constraint that holds lets one pass.
    const denies = place.effect === 'Deny'
    const { list, field } = place.constraints
    const object = place.tool?.object?.where ?? []
    const answer = place.answer ?? { field: '', list: [] }
    return [
      ...list.flatMap((each, index) => loose(each, `${field}[${index}]`, denies)),
      ...answer.list.flatMap((each, index) => loose(each, `${answer.field}[${index}]`, false)),
      ...object.flatMap((each, index) => loose(each, `${place.field}.object.where[${index}]`, denies)),
      ...(place.tool === undefined || denies ? [] : noLowerBound(list, field)),
    ]
  })
}

function loose(constraint: Constraint, field: string, denies: boolean): Warning[] {
  const { not } = constraint
  const at = not === undefined ? field : `${field}.not`
  const { suffix, pattern } = not ?? constraint
  const lets = (not === undefined) !== denies
  const found: Warning[] = []
  if (lets && suffix !== undefined && /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}$/i.test(suffix)) {
    const detail = `${shown(suffix)} has no @ or . before it, so ${shown(`evil${suffix}`)} ends with it too`
    const fix = `Write ${shown(`@${suffix}`)} for mail, ${shown(`.${suffix}`)} for hosts.`
    found.push({ kind: 'DomainSuffix', field: `${at}.suffix`, detail, fix })
  }
  const loose = lets && pattern !== undefined ? looseness(pattern) : undefined
  if (loose === 'unanchored') {
    const detail = 'is found anywhere in the text, with anything before and after it'
    const fix = 'Begin each alternative with ^ and end it with $.'
    found.push({ kind: 'Unanchored', field: `${at}.pattern`, detail, fix })
  } else if (loose === 'wildcard') {
    const detail = 'has a part that takes any characters'
    const fix = 'Say which characters are meant, such as [a-z0-9-]+ instead of .*'
    found.push({ kind: 'Wildcard', field: `${at}.pattern`, detail, fix: `${fix}.` })
  }
  return found
}

/** "At most 50" holds for -5000 too. */
function noLowerBound(list: Constraint[], field: string): Warning[] {
  const bounded = (arg: string | undefined): boolean =>
    list.some(
      (other) =>
        other.arg === arg &&
        (other.min !== undefined ||
          other.equals !== undefined ||
          other.in !== undefined ||
          (other.not?.max !== undefined && other.not.min === undefined)),
    )
  return list.flatMap(({ arg, max }, index): Warning[] => {
    if (max === undefined || bounded(arg)) return []
    const detail = `${shown(arg ?? '')} may be zero or below`
    return [{ kind: 'NoLowerBound', field: `${field}[${index}].max`, detail, fix: 'Add a min, such as min: "0.01".' }]
  })
}

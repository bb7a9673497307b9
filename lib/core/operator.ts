import type { NegatedConstraint, Scalar } from '../api/gen/types.ts'
import { inNetwork, parseNetwork } from './cidr.ts'
import { bound, decimalOf } from './decimal.ts'
import { freePartProblem } from './free-part.ts'
import { hides, MAX_LOOK, skeleton } from './lookalike.ts'
import { exactNumber } from './number.ts'
import { typeName } from './path.ts'
import { compilePattern, foundAnyhow, foundPlainly } from './pattern.ts'
import { shown } from './quote.ts'
import type { Json } from './strict.ts'

/** What an operator finds about one value: whether it holds, or why that cannot be said. */
export type Holds = boolean | { problem: string }

/** An operator on a single value: a text, a number or a truth value. */
export interface Operator {
  /** Completes "the rule allows ...". */
  wants: string
  holds: (value: Scalar) => Holds
}

/** Every operator that looks at a value or at whether there is one; `min`, `max` and `minItems`, `maxItems` are ranges. */
export const OPERATORS = [
  'equals',
  'in',
  'notIn',
  'prefix',
  'suffix',
  'min',
  'max',
  'cidr',
  'pattern',
  'subsetOf',
  'minItems',
  'maxItems',
  'required',
  'absent',
] as const

/**
 * The single operator (or range of min and max) of a checked constraint or of its `not`.
 *
 * @param wary whether a value passes by *not* being what is written here (under `not`, or in a rule that denies): then
 * one that only looks like it is a problem, so that no lookalike slips through.
 */
export function compileOperator(constraint: NegatedConstraint, wary: boolean): Operator {
  const { equals, notIn, prefix, suffix, min, max, cidr, pattern } = constraint
  if (equals !== undefined) return oneOf([equals], wary)
  if (constraint.in !== undefined) return oneOf(constraint.in, wary)
  if (notIn !== undefined) return noneOf(notIn)
  if (prefix !== undefined) {
    return onText(`a text that begins with ${shown(prefix)}`, (text) =>
      text.startsWith(prefix) ? plain(freePartProblem(text.slice(prefix.length), 'prefix', prefix)) : false,
    )
  }
  if (suffix !== undefined) {
    return onText(`a text that ends with ${shown(suffix)}`, (text) =>
      text.endsWith(suffix)
        ? plain(freePartProblem(text.slice(0, text.length - suffix.length), 'suffix', suffix))
        : false,
    )
  }
  if (cidr !== undefined) {
    const network = parseNetwork(cidr)
    if ('problem' in network) throw new Error('a constraint whose cidr is not a network')
    return onText(`an address in ${cidr}`, (text) => inNetwork(text, network))
  }
  if (pattern !== undefined) {
    const compiled = compilePattern(pattern)
    if ('problem' in compiled) throw new Error('a constraint whose pattern does not compile')
    const found = wary ? foundAnyhow : foundPlainly
    return onText(`a text with ${shown(pattern)}`, (text) => found(compiled, text))
  }
  if (min !== undefined || max !== undefined) return range(min, max)
  throw new Error('a constraint without an operator on a single value')
}

/** One of the values, of one of their types; an element of a list is judged the same way. */
export function oneOf(wanted: Scalar[], wary: boolean): Operator {
  const types = new Set<string>(wanted.map((value) => typeof value))
  const values = new Set<unknown>(wanted)
  const looks = new Set(wary ? wanted.flatMap((value) => (typeof value === 'string' ? [skeleton(value)] : [])) : [])
  const problem = { problem: `not ${[...types].map(TYPE_NAME).join(' or ')}` }
  return {
    wants: list(wanted),
    holds: (value) => {
      if (values.has(value)) return true
      if (!types.has(typeof value)) return problem
      return wary && typeof value === 'string' ? masked(value, looks) : false
    },
  }
}

function noneOf(wanted: Scalar[]): Operator {
  const { wants, holds } = oneOf(wanted, true)
  return {
    wants: `anything but ${wants}`,
    holds: (value) => {
      const found = holds(value)
      return typeof found === 'object' ? found : !found
    },
  }
}

/** A text that is none of the values but could be taken for one. */
function masked(text: string, looks: Set<string>): Holds {
  if (text.length > MAX_LOOK) return { problem: 'longer than can be looked through' }
  if (hides(text)) return { problem: 'not a text without hidden characters or line breaks' }
  return looks.has(skeleton(text)) ? { problem: 'which looks like a value it is not' } : false
}

/** "EUR" or "one of ...", the first five of them. */
export function list(values: Scalar[]): string {
  const few = values.slice(0, 5).map(shown).join(', ')
  return values.length === 1 ? few : `one of ${few}${values.length > 5 ? ', …' : ''}`
}

const TYPE_NAME = (type: string): string =>
  type === 'string' ? typeName('') : type === 'number' ? typeName(0) : typeName(true)

const plain = (problem: string | undefined): Holds => (problem === undefined ? true : { problem })

const NO_TEXT = { problem: 'not a text' }
function onText(wants: string, check: (text: string) => Holds): Operator {
  return { wants, holds: (value) => (typeof value === 'string' ? check(value) : NO_TEXT) }
}

function range(min: string | undefined, max: string | undefined): Operator {
  const low = min === undefined ? undefined : bound(min)
  const high = max === undefined ? undefined : bound(max)
  const lowest = min === undefined ? Number.NEGATIVE_INFINITY : exactNumber(min)
  const highest = max === undefined ? Number.POSITIVE_INFINITY : exactNumber(max)
  return {
    wants: between(min, max),
    holds: (value) => {
      // A JSON number is the shortest decimal of its double, so two doubles compare as the decimals they were written as.
      if (typeof value === 'number' && lowest !== undefined && highest !== undefined) {
        return value >= lowest && value <= highest
      }
      const decimal = decimalOf(value as Json)
      if ('problem' in decimal) return decimal
      return (low === undefined || decimal.value.gte(low)) && (high === undefined || decimal.value.lte(high))
    },
  }
}

/** "1 to 5", "at most 5", "at least 1". */
export function between(min: string | number | undefined, max: string | number | undefined): string {
  if (min === undefined) return `at most ${max}`
  return max === undefined ? `at least ${min}` : `${min} to ${max}`
}

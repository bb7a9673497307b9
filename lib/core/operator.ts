import type { Constraint, Scalar } from '../api/gen/types.ts'
import { bound, decimalOf } from './decimal.ts'
import { freePartProblem } from './free-part.ts'
import { typeName } from './path.ts'
import { shown } from './quote.ts'
import type { Json } from './strict.ts'

/** What an operator finds about one value: whether it holds, or why that cannot be said. */
export type Holds = boolean | { problem: string }

export interface Operator {
  /** Completes "the rule allows ...". */
  wants: string
  holds: (value: Json) => Holds
}

/** The operators of a constraint that this version enforces. `min` and `max` together are one range. */
export const OPERATORS = ['equals', 'in', 'prefix', 'suffix', 'min', 'max', 'required'] as const

/** The operator of a checked constraint (or of its `not`) but `required`, which looks at presence, not at a value. */
export function compileOperator(constraint: Omit<Constraint, 'arg' | 'not' | 'optional'>): Operator {
  const { equals, prefix, suffix, min, max } = constraint
  if (equals !== undefined) return oneOf([equals])
  if (constraint.in !== undefined) return oneOf(constraint.in)
  if (prefix !== undefined) {
    return affix(`a text that begins with ${shown(prefix)}`, (text) =>
      text.startsWith(prefix) ? freePartProblem(text.slice(prefix.length), 'prefix', prefix) : false,
    )
  }
  if (suffix !== undefined) {
    return affix(`a text that ends with ${shown(suffix)}`, (text) =>
      text.endsWith(suffix) ? freePartProblem(text.slice(0, text.length - suffix.length), 'suffix', suffix) : false,
    )
  }
  if (min !== undefined || max !== undefined) return range(min, max)
  throw new Error('a constraint without an operator this version enforces')
}

function oneOf(wanted: Scalar[]): Operator {
  const types = new Set(wanted.map((value) => typeof value))
  const values = new Set<unknown>(wanted)
  const list = wanted.slice(0, 5).map(shown).join(', ')
  return {
    wants: wanted.length === 1 ? list : `one of ${list}${wanted.length > 5 ? ', …' : ''}`,
    holds: (value) =>
      types.has(typeof value as 'string')
        ? values.has(value)
        : { problem: `not ${[...types].map(TYPE_NAME).join(' or ')}` },
  }
}
const TYPE_NAME = (type: string): string =>
  type === 'string' ? typeName('') : type === 'number' ? typeName(0) : typeName(true)

function affix(wants: string, check: (text: string) => false | string | undefined): Operator {
  return {
    wants,
    holds: (value) => {
      if (typeof value !== 'string') return { problem: 'not a text' }
      const found = check(value)
      return found === false ? false : found === undefined ? true : { problem: found }
    },
  }
}

function range(min: string | undefined, max: string | undefined): Operator {
  const low = min === undefined ? undefined : bound(min)
  const high = max === undefined ? undefined : bound(max)
  return {
    wants:
      min !== undefined && max !== undefined
        ? `${min} to ${max}`
        : max !== undefined
          ? `at most ${max}`
          : `at least ${min}`,
    holds: (value) => {
      const decimal = decimalOf(value)
      if ('problem' in decimal) return decimal
      return (low === undefined || decimal.value.gte(low)) && (high === undefined || decimal.value.lte(high))
    },
  }
}

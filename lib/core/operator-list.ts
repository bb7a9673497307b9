import type { NegatedConstraint, Scalar } from '../api/gen/types.ts'
import { between, type Holds, list, oneOf } from './operator.ts'
import { typeName } from './path.ts'
import { shown } from './quote.ts'
import type { Json } from './strict.ts'

/** An operator that looks at a list itself. */
export interface ListOperator {
  wants: string
  holds: (list: Json[]) => Holds
  /** "has 7 elements", "has \"XXX\"": what of the list the operator looked at. */
  says: (list: Json[], withheld: boolean) => string
}

/** The list operator (or range of minItems and maxItems) of a checked constraint or of its `not`; undefined: none. */
export function compileListOperator(constraint: NegatedConstraint, wary: boolean): ListOperator | undefined {
  const { subsetOf, minItems, maxItems } = constraint
  if (subsetOf !== undefined) return subset(subsetOf, wary)
  if (minItems !== undefined || maxItems !== undefined) return items(minItems, maxItems)
}

function subset(wanted: Scalar[], wary: boolean): ListOperator {
  const { holds } = oneOf(wanted, wary)
  const outside = (value: Json): Holds => {
    if (value === null || typeof value === 'object') return { problem: `with ${typeName(value)} in it` }
    return holds(value)
  }
  return {
    wants: `a list of nothing but ${list(wanted)}`,
    holds: (values) => {
      let every = true
      for (const value of values) {
        const found = outside(value)
        if (typeof found === 'object') return found
        every &&= found
      }
      return every
    },
    says: (values, withheld) => {
      const odd = values.find((value) => outside(value) !== true)
      if (odd === undefined || odd === null || typeof odd === 'object') return 'is a list'
      return withheld ? 'has a value that is withheld' : `has ${shown(odd)}`
    },
  }
}

function items(min: number | undefined, max: number | undefined): ListOperator {
  return {
    wants: `a list of ${between(min, max)} elements`,
    holds: (values) => (min === undefined || values.length >= min) && (max === undefined || values.length <= max),
    says: (values) => `has ${values.length} element${values.length === 1 ? '' : 's'}`,
  }
}

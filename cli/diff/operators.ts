import type { Scalar } from '../../lib/api/gen/types.ts'
import type { Atoms, Tri } from './atoms.ts'
import { ANY, between, either, inOrder, literal, maybe, one, repeat } from './language.ts'
import { networkTruth, type Operator } from './sampled.ts'
import { and, equal, FALSE, implies, not, or, real, type Term, TRUE } from './smt.ts'
import { inText, isText, resembles } from './spelling.ts'
import { patternTruth, prefixTruth, suffixTruth } from './text-operators.ts'
import { is, type Node } from './tree.ts'

/**
 * What an operator says of a value that is there. `wary`: a value passes by not being what is written, so that one which
 * only looks like it is an error.
 */
export function encodeOperator(atoms: Atoms, node: Node, operator: Operator, wary: boolean): Tri {
  const { equals, notIn, prefix, suffix, min, max, cidr, pattern, subsetOf, minItems, maxItems } = operator
  if (equals !== undefined) return oneOf(atoms, node, [equals], wary)
  if (operator.in !== undefined) return oneOf(atoms, node, operator.in, wary)
  if (notIn !== undefined) return opposite(oneOf(atoms, node, notIn, true))
  if (prefix !== undefined) return prefixTruth(atoms, node, prefix)
  if (suffix !== undefined) return suffixTruth(atoms, node, suffix)
  if (pattern !== undefined) return patternTruth(atoms, node, operator, pattern, wary)
  if (cidr !== undefined) return networkTruth(atoms, node, cidr)
  if (min !== undefined || max !== undefined) return range(atoms, node, min, max)
  if (subsetOf !== undefined) return subset(atoms, node, subsetOf, wary)
  if (minItems !== undefined || maxItems !== undefined) return count(node, minItems, maxItems)
  throw new Error(`an operator that diff does not know: ${Object.keys(operator).join(', ')}`)
}

export const opposite = (tri: Tri): Tri => ({ true: and(not(tri.true), not(tri.error)), error: tri.error })

function oneOf(atoms: Atoms, node: Node, wanted: Scalar[], wary: boolean): Tri {
  const types = new Set(wanted.map((value) => typeof value))
  const typed = or(
    types.has('string') ? is(node, 'Text') : FALSE,
    types.has('number') ? is(node, 'Number') : FALSE,
    types.has('boolean') ? is(node, 'Bool') : FALSE,
  )
  const among = or(...wanted.map((value) => same(atoms, node, value)))
  const texts = wanted.filter((value) => typeof value === 'string')
  if (!wary || texts.length === 0) return { true: among, error: not(typed) }
  const hidden = inText(atoms, node, inOrder(ANY, one(atoms.alphabet.hidden), ANY))
  const masked = and(is(node, 'Text'), or(hidden, ...texts.map((value) => resembles(atoms, node, value))))
  return { true: among, error: and(not(among), or(not(typed), masked)) }
}

function same(atoms: Atoms, node: Node, value: Scalar): Term {
  if (typeof value === 'boolean') return and(is(node, 'Bool'), value ? `${node.id}b` : not(`${node.id}b`))
  if (typeof value === 'number') return and(is(node, 'Number'), equal(`${node.id}r`, real(plainDecimal(value))))
  return and(is(node, 'Text'), isText(atoms, node, value))
}

/** A double in plain decimals, as JSON writes it but never with an exponent. */
export function plainDecimal(value: number): string {
  const written = String(value)
  const parts = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:e([+-][0-9]+))?$/.exec(written)
  if (parts === null) throw new Error(`not a number of JSON: ${written}`)
  const [, sign = '', whole = '', part = '', power = '0'] = parts
  const digits = whole + part
  const point = whole.length + Number(power)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return point >= digits.length
    ? `${sign}${digits}${'0'.repeat(point - digits.length)}`
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

const DIGIT = one(between('0', '9'))
const WHOLE = either(literal('0'), inOrder(one(between('1', '9')), repeat(DIGIT, 0, 39)))
const SIGN = maybe(literal('-'))
const DECIMAL = inOrder(SIGN, WHOLE, maybe(inOrder(literal('.'), repeat(DIGIT, 1, 40))))
const TWO_READINGS = inOrder(SIGN, one(between('1', '9')), repeat(DIGIT, 0, 2), literal('.'), repeat(DIGIT, 3, 3))

/** The text of a value is one that stands for a number. */
export const isDecimal = (atoms: Atoms, node: Node): Term =>
  and(inText(atoms, node, DECIMAL), not(inText(atoms, node, TWO_READINGS)))

function range(atoms: Atoms, node: Node, min: string | undefined, max: string | undefined): Tri {
  const { id } = node
  const within = (value: Term): Term =>
    and(
      min === undefined ? TRUE : `(>= ${value} ${real(min)})`,
      max === undefined ? TRUE : `(<= ${value} ${real(max)})`,
    )
  const decimal = and(is(node, 'Text'), isDecimal(atoms, node))
  return {
    true: or(and(is(node, 'Number'), within(`${id}r`)), and(decimal, within(`${id}d`))),
    error: not(or(is(node, 'Number'), decimal)),
  }
}

function subset(atoms: Atoms, node: Node, wanted: Scalar[], wary: boolean): Tri {
  const slots = node.slots.map((slot) => ({ active: not(is(slot, 'M')), tri: oneOf(atoms, slot, wanted, wary) }))
  const error = or(not(is(node, 'List')), ...slots.map(({ active, tri }) => and(active, tri.error)))
  const all = and(...slots.map(({ active, tri }) => implies(active, tri.true)))
  return { true: and(not(error), all), error }
}

function count(node: Node, low: number | undefined, high: number | undefined): Tri {
  const within = and(
    low === undefined ? TRUE : `(>= ${node.id}n ${low})`,
    high === undefined ? TRUE : `(<= ${node.id}n ${high})`,
  )
  return { true: and(is(node, 'List'), within), error: not(is(node, 'List')) }
}

import type { Constraint, Scalar } from '../../lib/api/gen/types.ts'
import { inNetwork, type Network, parseNetwork } from '../../lib/core/cidr.ts'
import { compileConstraint } from '../../lib/core/constraint.ts'
import { skeleton } from '../../lib/core/lookalike.ts'
import { compilePattern } from '../../lib/core/pattern.ts'
import { type Atoms, opaque, rare, type Tri } from './atoms.ts'
import {
  ANY,
  between,
  characters,
  either,
  inOrder,
  type Language,
  literal,
  maybe,
  one,
  repeat,
  together,
} from './language.ts'
import { languageOf } from './regex.ts'
import { and, equal, FALSE, implies, not, or, real, type Term, TRUE } from './smt.ts'
import { inLanguage, isExactly } from './texts.ts'
import { is, type Node } from './tree.ts'

/** One operator of a constraint, as {in: [...]}; `min` and `max` are one, `minItems` and `maxItems` too. */
export type Operator = Omit<Constraint, 'arg' | 'not' | 'optional' | 'cel'>

/** What an operator says of a value that is there. `wary`: a value passes by not being what is written,
 * so that one which only looks like it is an error. */
export function encodeOperator(atoms: Atoms, node: Node, operator: Operator, wary: boolean): Tri {
  const { equals, notIn, prefix, suffix, min, max, cidr, pattern, subsetOf, minItems, maxItems } = operator
  if (equals !== undefined) return oneOf(atoms, node, [equals], wary)
  if (operator.in !== undefined) return oneOf(atoms, node, operator.in, wary)
  if (notIn !== undefined) return opposite(oneOf(atoms, node, notIn, true))
  if (prefix !== undefined) return onText(atoms, node, operator, prefixTruth(atoms, node, prefix))
  if (suffix !== undefined) return onText(atoms, node, operator, suffixTruth(atoms, node, suffix))
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
  const hidden = text(atoms, node, inOrder(ANY, one(atoms.alphabet.hidden), ANY))
  const masked = and(is(node, 'Text'), or(hidden, ...texts.map((value) => resembles(atoms, node, value))))
  return { true: among, error: and(not(among), or(not(typed), masked)) }
}

/** The value's text, if it is one, is in the language. */
const text = ({ texts }: Atoms, node: Node, language: Language): Term =>
  inLanguage(texts, node.id, is(node, 'Text'), language)
const exactly = ({ texts }: Atoms, node: Node, value: string): Term =>
  isExactly(texts, node.id, is(node, 'Text'), value)

/** The text is not this one, but a reader who does not look closely could take it for it. */
function resembles(atoms: Atoms, node: Node, value: string): Term {
  const letters = Array.from(skeleton(value))
  const spaces = repeat(one(characters(' ')), 0)
  const spelled = letters.map((letter) =>
    letter === ' ' ? inOrder(one(characters(' ')), spaces) : one(characters(letter + letter.toUpperCase())),
  )
  const ascii = letters.every((letter) => /^[ -~]$/.test(letter))
    ? text(atoms, node, inOrder(spaces, ...spelled, spaces))
    : FALSE
  const other = rare(atoms, { node: node.id, resembles: value }, beyondAscii(atoms, node))
  return and(is(node, 'Text'), not(exactly(atoms, node, value)), or(ascii, other))
}

function same(atoms: Atoms, node: Node, value: Scalar): Term {
  if (typeof value === 'boolean') return and(is(node, 'Bool'), value ? `${node.id}b` : not(`${node.id}b`))
  if (typeof value === 'number') return and(is(node, 'Number'), equal(`${node.id}r`, real(plainDecimal(value))))
  return and(is(node, 'Text'), exactly(atoms, node, value))
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

/** What is neither held nor an error is false. Letters that look like others, in the free part, are an error. */
function onText(atoms: Atoms, node: Node, operator: Operator, found: { base: Term; holds: Term }): Tri {
  const { prefix, suffix } = operator
  // Where a word cannot reach over the end of the fixed part, the free part pretends if and only if the whole does.
  const apart = prefix === undefined ? /^[!-@[-`{-~]/.test(suffix ?? '') : /[!-@[-`{-~]$/.test(prefix)
  const ascii = /^[ -~]*$/.test(prefix ?? suffix ?? '')
  const odd =
    apart && ascii
      ? pretends(atoms, node)
      : rare(atoms, { node: node.id, odd: operator }, and(is(node, 'Text'), beyondAscii(atoms, node)))
  const error = or(not(is(node, 'Text')), and(found.base, or(not(found.holds), odd)))
  return { true: and(is(node, 'Text'), found.base, found.holds, not(odd)), error }
}

/** The text has letters that look like others. */
const pretends = (atoms: Atoms, node: Node): Term =>
  rare(atoms, { node: node.id, pretends: true }, and(is(node, 'Text'), beyondAscii(atoms, node)))

const beyondAscii = (atoms: Atoms, node: Node): Term =>
  text(atoms, node, inOrder(ANY, one(atoms.alphabet.beyondAscii), ANY))

const encoded = (percent: string, letter: string): Language =>
  inOrder(literal(percent), one(characters(letter + letter.toUpperCase())))
const SEPARATOR = either(one(characters('/\\?#;')), encoded('%2', 'f'), encoded('%5', 'c'))
const DOT = either(literal('.'), encoded('%2', 'e'))
const CLIMBS = inOrder(maybe(inOrder(ANY, SEPARATOR)), DOT, DOT, maybe(inOrder(SEPARATOR, ANY)))

function prefixTruth(atoms: Atoms, node: Node, prefix: string): { base: Term; holds: Term } {
  const hidden = text(atoms, node, inOrder(literal(prefix), ANY, one(atoms.alphabet.hidden), ANY))
  const climbs = prefix.includes('/') ? text(atoms, node, CLIMBS) : FALSE
  return { base: text(atoms, node, inOrder(literal(prefix), ANY)), holds: and(not(hidden), not(climbs)) }
}

const ATOM = one(together(between('A', 'Z'), between('a', 'z'), between('0', '9'), characters("!#$%&'*+/=?^_`{|}~-")))
const LOCAL = inOrder(repeat(ATOM, 1), repeat(inOrder(literal('.'), repeat(ATOM, 1)), 0))

function suffixTruth(atoms: Atoms, node: Node, suffix: string): { base: Term; holds: Term } {
  const base = text(atoms, node, inOrder(ANY, literal(suffix)))
  if (!suffix.includes('@')) {
    return { base, holds: not(text(atoms, node, inOrder(ANY, one(atoms.alphabet.hidden), ANY, literal(suffix)))) }
  }
  const local = suffix.startsWith('@') ? LOCAL : maybe(LOCAL)
  return { base, holds: text(atoms, node, inOrder(local, literal(suffix))) }
}

function patternTruth(atoms: Atoms, node: Node, operator: Operator, pattern: string, wary: boolean): Tri {
  const language = languageOf(pattern)
  if (language === undefined) return sampled(atoms, node, operator, wary)
  const found = and(is(node, 'Text'), text(atoms, node, language))
  const beyond = and(is(node, 'Text'), beyondAscii(atoms, node))
  if (wary) {
    const strange = rare(atoms, { node: node.id, anyhow: pattern }, and(beyond, not(found)))
    return { true: found, error: or(not(is(node, 'Text')), strange) }
  }
  const compiled = compilePattern(pattern)
  if ('problem' in compiled) throw new Error('a pattern that does not compile')
  const hidden = compiled.lines
    ? rare(atoms, { node: node.id, hiddenInProse: true }, beyond)
    : text(atoms, node, inOrder(ANY, one(atoms.alphabet.hidden), ANY))
  const strange = or(hidden, pretends(atoms, node))
  return { true: and(found, not(strange)), error: or(not(is(node, 'Text')), strange) }
}

const DIGIT = one(between('0', '9'))
const WHOLE = either(literal('0'), inOrder(one(between('1', '9')), repeat(DIGIT, 0, 39)))
const SIGN = maybe(literal('-'))
const DECIMAL = inOrder(SIGN, WHOLE, maybe(inOrder(literal('.'), repeat(DIGIT, 1, 40))))
const TWO_READINGS = inOrder(SIGN, one(between('1', '9')), repeat(DIGIT, 0, 2), literal('.'), repeat(DIGIT, 3, 3))

/** The text of a value is one that stands for a number. */
export const isDecimal = (atoms: Atoms, node: Node): Term =>
  and(text(atoms, node, DECIMAL), not(text(atoms, node, TWO_READINGS)))

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

/** Addresses are not looked into: which network is in which, and that all of one version have the same errors, is said. */
function networkTruth(atoms: Atoms, node: Node, cidr: string): Tri {
  const network = parseNetwork(cidr)
  if ('problem' in network) throw new Error('a network that is none')
  const tri: Tri = {
    true: atoms.variable({ node: node.id, cidr }),
    error: atoms.variable({ node: node.id, addresses: network.version }),
  }
  const all = atoms.networks.get(node.id) ?? new Map()
  atoms.networks.set(node.id, all.set(cidr, { network, tri }))
  atoms.fact(not(and(tri.true, tri.error)))
  atoms.fact(implies(not(is(node, 'Text')), tri.error))
  for (const other of all.values()) {
    if (other.tri.true === tri.true || other.network.version !== network.version) continue
    const [few, many] = other.network.length > network.length ? [other, { network, tri }] : [{ network, tri }, other]
    const inside = inNetwork(firstOf(few.network), many.network) === true
    atoms.fact(inside ? implies(few.tri.true, many.tri.true) : not(and(few.tri.true, many.tri.true)))
  }
  atoms.opaque.add(cidr)
  tryOut(atoms, node, { cidr }, false, tri, [...SAMPLES, cidr.split('/')[0] as string])
  return tri
}

const firstOf = ({ version, bytes }: Network): string =>
  version === 4
    ? bytes.join('.')
    : Array.from({ length: 8 }, (_, index) =>
        (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
      ).join(':')

/** Texts on which an operator that cannot be encoded is tried out, so that an example can be found all the same. */
const SAMPLES = [
  '',
  'a',
  'A',
  '1',
  'x-1',
  '10.0.0.1',
  '192.168.1.1',
  '203.0.113.7',
  '2001:db8::1',
  'EUR',
  'a@corp.example',
]

/** An operator that is the same three-valued unknown wherever it is asked of the same value. */
function sampled(atoms: Atoms, node: Node, operator: Operator, wary: boolean): Tri {
  const tri = opaque(atoms, { node: node.id, operator, wary })
  atoms.opaque.add(JSON.stringify(Object.values(operator)[0]))
  atoms.fact(implies(not(is(node, 'Text')), tri.error))
  tryOut(atoms, node, operator, wary, tri, SAMPLES)
  return tri
}

/** Says what an operator finds of some texts; calls with one of them are looked for first. */
function tryOut(atoms: Atoms, node: Node, operator: Operator, wary: boolean, tri: Tri, samples: string[]): void {
  const evaluate = compileConstraint({ arg: 'x', ...operator }, wary ? 'some' : 'every', false)
  for (const sample of samples) {
    const truth = evaluate({ x: sample }, { server: 's', tool: 't' }).is
    const outcome = truth === 'error' ? tri.error : and(not(tri.error), truth === 'true' ? tri.true : not(tri.true))
    atoms.fact(implies(and(is(node, 'Text'), exactly(atoms, node, sample)), outcome))
  }
  atoms.prefer(implies(is(node, 'Text'), or(...samples.map((sample) => exactly(atoms, node, sample)))))
}

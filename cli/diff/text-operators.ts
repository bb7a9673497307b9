import { compilePattern } from '../../lib/core/pattern.ts'
import { type Atoms, rare, type Tri } from './atoms.ts'
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
import { type Operator, sampled } from './sampled.ts'
import { and, FALSE, not, or, type Term } from './smt.ts'
import { beyondAscii, inText, pretends } from './spelling.ts'
import { is, type Node } from './tree.ts'

/** What is neither held nor an error is false. Letters that look like others, in the free part, are an error. */
function fixedPart(atoms: Atoms, node: Node, operator: Operator, found: { base: Term; holds: Term }): Tri {
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

const encoded = (percent: string, letter: string): Language =>
  inOrder(literal(percent), one(characters(letter + letter.toUpperCase())))
const SEPARATOR = either(one(characters('/\\?#;')), encoded('%2', 'f'), encoded('%5', 'c'))
const DOT = either(literal('.'), encoded('%2', 'e'))
const CLIMBS = inOrder(maybe(inOrder(ANY, SEPARATOR)), DOT, DOT, maybe(inOrder(SEPARATOR, ANY)))

export function prefixTruth(atoms: Atoms, node: Node, prefix: string): Tri {
  const hidden = inText(atoms, node, inOrder(literal(prefix), ANY, one(atoms.alphabet.hidden), ANY))
  const climbs = prefix.includes('/') ? inText(atoms, node, CLIMBS) : FALSE
  const base = inText(atoms, node, inOrder(literal(prefix), ANY))
  return fixedPart(atoms, node, { prefix }, { base, holds: and(not(hidden), not(climbs)) })
}

const ATOM = one(together(between('A', 'Z'), between('a', 'z'), between('0', '9'), characters("!#$%&'*+/=?^_`{|}~-")))
const LOCAL = inOrder(repeat(ATOM, 1), repeat(inOrder(literal('.'), repeat(ATOM, 1)), 0))

export function suffixTruth(atoms: Atoms, node: Node, suffix: string): Tri {
  const base = inText(atoms, node, inOrder(ANY, literal(suffix)))
  const holds = suffix.includes('@')
    ? inText(atoms, node, inOrder(suffix.startsWith('@') ? LOCAL : maybe(LOCAL), literal(suffix)))
    : not(inText(atoms, node, inOrder(ANY, one(atoms.alphabet.hidden), ANY, literal(suffix))))
  return fixedPart(atoms, node, { suffix }, { base, holds })
}

export function patternTruth(atoms: Atoms, node: Node, operator: Operator, pattern: string, wary: boolean): Tri {
  const language = languageOf(pattern)
  if (language === undefined) return sampled(atoms, node, operator, wary)
  const found = and(is(node, 'Text'), inText(atoms, node, language))
  const beyond = and(is(node, 'Text'), beyondAscii(atoms, node))
  if (wary) {
    const strange = rare(atoms, { node: node.id, anyhow: pattern }, and(beyond, not(found)))
    return { true: found, error: or(not(is(node, 'Text')), strange) }
  }
  const compiled = compilePattern(pattern)
  if ('problem' in compiled) throw new Error('a pattern that does not compile')
  const hidden = compiled.lines
    ? rare(atoms, { node: node.id, hiddenInProse: true }, beyond)
    : inText(atoms, node, inOrder(ANY, one(atoms.alphabet.hidden), ANY))
  const strange = or(hidden, pretends(atoms, node))
  return { true: and(found, not(strange)), error: or(not(is(node, 'Text')), strange) }
}

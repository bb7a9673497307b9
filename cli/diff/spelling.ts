import { skeleton } from '../../lib/core/lookalike.ts'
import { type Atoms, rare } from './atoms.ts'
import { ANY, characters, inOrder, type Language, one, repeat } from './language.ts'
import { and, FALSE, not, or, type Term } from './smt.ts'
import { inLanguage, isExactly } from './texts.ts'
import { is, type Node } from './tree.ts'

/** The value's text, if it is one, is in the language. */
export const inText = ({ texts }: Atoms, node: Node, language: Language): Term =>
  inLanguage(texts, node.id, is(node, 'Text'), language)
export const isText = ({ texts }: Atoms, node: Node, value: string): Term =>
  isExactly(texts, node.id, is(node, 'Text'), value)

/** The text is not this one, but a reader who does not look closely could take it for it. */
export function resembles(atoms: Atoms, node: Node, value: string): Term {
  const letters = Array.from(skeleton(value))
  const spaces = repeat(one(characters(' ')), 0)
  const spelled = letters.map((letter) =>
    letter === ' ' ? inOrder(one(characters(' ')), spaces) : one(characters(letter + letter.toUpperCase())),
  )
  const ascii = letters.every((letter) => /^[ -~]$/.test(letter))
    ? inText(atoms, node, inOrder(spaces, ...spelled, spaces))
    : FALSE
  const other = rare(atoms, { node: node.id, resembles: value }, beyondAscii(atoms, node))
  return and(is(node, 'Text'), not(isText(atoms, node, value)), or(ascii, other))
}

/** The text has letters that look like others. */
export const pretends = (atoms: Atoms, node: Node): Term =>
  rare(atoms, { node: node.id, pretends: true }, and(is(node, 'Text'), beyondAscii(atoms, node)))

export const beyondAscii = (atoms: Atoms, node: Node): Term =>
  inText(atoms, node, inOrder(ANY, one(atoms.alphabet.beyondAscii), ANY))

import { INVISIBLE } from '../../lib/core/quote.ts'
import { type Characters, characters } from './language.ts'

/**
 * The characters that texts are made of where calls are looked for: printable ASCII, what the policies' own texts
 * mention, and one of each further class that operators tell apart. Every real text becomes one of these when each other
 * character is replaced by that of its class, and no operator that is encoded says anything else about it then: none
 * refers to a character by anything but a mention or its class.
 */
export interface Alphabet {
  /** Code points; letters first, because they make examples that are read more easily. */
  all: number[]
  ascii: number[]
  /** Those that cannot be seen or break lines. */
  hidden: Characters
  /** Those outside of printable ASCII. */
  beyondAscii: Characters
}

/** Line feed counts for `.`; tab, form feed and carriage return for \s; then any other control, format and letter. */
const CLASSES = ['\n', '\t', '\f', '\r', '\u0001', '\u200b', '\u00e9']
const ASCII = Array.from({ length: 95 }, (_, index) => 0x20 + index)
const rank = (point: number): number => {
  const character = String.fromCodePoint(point)
  return /[a-z]/.test(character)
    ? 0
    : /[A-Z]/.test(character)
      ? 1
      : /[0-9]/.test(character)
        ? 2
        : character === ' '
          ? 4
          : 3
}

/** The alphabet for policies that mention these texts. */
export function alphabetOf(mentioned: string[]): Alphabet {
  const beyond = [...new Set([...CLASSES, ...mentioned.flatMap((value) => Array.from(value))])].filter(
    (character) => !/^[ -~]$/.test(character),
  )
  const ascii = [...ASCII].sort((a, b) => rank(a) - rank(b) || a - b)
  return {
    all: [...ascii, ...beyond.map((character) => character.codePointAt(0) as number)],
    ascii,
    hidden: characters(beyond.filter((character) => INVISIBLE.test(character)).join('')),
    beyondAscii: { ranges: [[0x20, 0x7e]], negated: true },
  }
}

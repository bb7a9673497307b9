import { RE2JS } from 're2js'
import { hides, hidesInProse, isPlain, MAX_LOOK, mixesScripts, pretends, unmasked } from './lookalike.ts'

/** Instructions of a compiled pattern. */
const MAX_PROGRAM = 1000
/** Instructions up to which the automaton has so few states that any text is searched in a few milliseconds. */
const SMALL = 16
/** Instructions times characters of larger ones, whose automaton may have too many states to keep: some 35 ms. */
const MAX_COST = 1 << 18

/** A compiled RE2 expression: `find` searches in linear time, or says that the text is too long for it. */
export interface Pattern {
  find: (text: string) => boolean | { problem: string }
  /** Instructions; a search takes at most about so many steps a character. */
  size: number
  /** Whether the expression speaks of line breaks itself: (?s), (?m) or \n. */
  lines: boolean
}

const TOO_LONG = { problem: 'longer than a pattern may be searched in' }

/** Compiles an expression of RE2, or says what is wrong with it in RE2's words. */
export function compilePattern(source: string): Pattern | { problem: string } {
  let re: RE2JS
  try {
    re = RE2JS.compile(source)
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    return { problem: `is not a regular expression of RE2: ${said.replace(/^error parsing regexp: /, '')}` }
  }
  const size = re.programSize()
  if (size > MAX_PROGRAM) return { problem: `makes ${size} instructions; at most ${MAX_PROGRAM} are run` }
  const longest = size <= SMALL ? MAX_LOOK : Math.min(MAX_LOOK, Math.floor(MAX_COST / size))
  return {
    size,
    find: (text) => (text.length > longest ? TOO_LONG : re.test(text)),
    lines: /\(\?[a-zA-Z]*[sm][a-zA-Z]*(?:-[a-zA-Z]*)?[:)]|\\[nR]|\n/.test(source),
  }
}

/**
 * Whether the pattern is found, where being found is what lets the call pass: a text with hidden characters, with line
 * breaks the pattern does not speak of, or with letters that look like others cannot be judged.
 */
export function foundPlainly(pattern: Pattern, text: string): boolean | { problem: string } {
  if (text.length <= MAX_LOOK && !isPlain(text)) {
    if (pattern.lines ? hidesInProse(text) : hides(text)) {
      return { problem: 'not a text without hidden characters or line breaks' }
    }
    if (pretends(text)) return { problem: 'with letters that look like others' }
  }
  return pattern.find(text)
}

/**
 * Whether the pattern is found, where not being found is what lets the call pass: line breaks and tabs are fine, but
 * nothing may be hidden in what is searched for ("ht", a zero-width space, "tps"), nor be written in twins of it.
 * Upper and lower case are as the pattern says; (?i) ignores them.
 */
export function foundAnyhow(pattern: Pattern, text: string): boolean | { problem: string } {
  const found = pattern.find(text)
  if (found !== false || isPlain(text)) return found
  if (hidesInProse(text)) return { problem: 'not a text without hidden characters' }
  if (mixesScripts(text)) return { problem: 'with letters that look like others' }
  const looks = [text.normalize('NFKC'), unmasked(text)]
  return looks.some((look) => look !== text && pattern.find(look) !== false)
    ? { problem: 'with letters that look like others' }
    : false
}

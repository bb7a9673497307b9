import {
  ANY,
  between,
  butNot,
  type Characters,
  characters,
  either,
  inOrder,
  type Language,
  maybe,
  one,
  repeat,
  together,
} from './language.ts'

/**
 * The language of an RE2 pattern, found anywhere in a text (`^` and `$` hold it at an end). Undefined for what is outside of the subset that is translated: literals of printable ASCII, `.`, classes,
 * \d \w \s and their opposites, groups, alternatives, * + ? and {n,m} up to 200, anchors at the ends of the whole pattern
 * or of one of its alternatives, and the flag (?s) in front.
 */
export function languageOf(pattern: string): Language | undefined {
  const dotAll = pattern.startsWith('(?s)')
  const source: Source = {
    left: dotAll ? pattern.slice(4) : pattern,
    dot: dotAll ? butNot(characters('')) : butNot(characters('\n')),
  }
  if (!/^[ -~]*$/.test(pattern)) return undefined
  try {
    const branches: Language[] = []
    do branches.push(branch(source))
    while (take(source, '|'))
    return source.left === '' ? either(...branches) : undefined
  } catch (error) {
    if (error instanceof Untranslated) return undefined
    throw error
  }
}

interface Source {
  left: string
  dot: Characters
}
class Untranslated extends Error {}

const DIGIT = between('0', '9')
const WORD = together(DIGIT, between('A', 'Z'), between('a', 'z'), characters('_'))
const SPACE = characters('\t\n\f\r ')
const SETS: Record<string, Characters> = {
  d: DIGIT,
  w: WORD,
  s: SPACE,
  D: butNot(DIGIT),
  W: butNot(WORD),
  S: butNot(SPACE),
}
const CONTROLS: Record<string, string> = { n: '\n', t: '\t', f: '\f', r: '\r' }
const MAX_REPEAT = 200

function take(source: Source, token: string): boolean {
  if (!source.left.startsWith(token)) return false
  source.left = source.left.slice(token.length)
  return true
}

function next(source: Source): string {
  const [character] = source.left
  if (character === undefined) throw new Untranslated()
  source.left = source.left.slice(1)
  return character
}

/** One alternative of the whole pattern, with its anchors. */
function branch(source: Source): Language {
  const begins = take(source, '^')
  const body = sequence(source)
  const ends = take(source, '$')
  return inOrder(...(begins ? [] : [ANY]), body, ...(ends ? [] : [ANY]))
}

function sequence(source: Source): Language {
  const parts: Language[] = []
  while (source.left !== '' && !'|)$'.includes(source.left[0] as string)) parts.push(repeated(source, atom(source)))
  return inOrder(...parts)
}

function atom(source: Source): Language {
  const character = next(source)
  if (character === '(') return group(source)
  if (character === '[') return one(characterClass(source))
  if (character === '.') return one(source.dot)
  if (character === '\\') {
    const name = next(source)
    return one(SETS[name] ?? characters(escaped(name)))
  }
  if ('^*+?{'.includes(character)) throw new Untranslated()
  return one(characters(character))
}

function group(source: Source): Language {
  if (source.left.startsWith('?') && !take(source, '?:')) throw new Untranslated()
  const branches: Language[] = []
  do branches.push(sequence(source))
  while (take(source, '|'))
  if (!take(source, ')')) throw new Untranslated()
  return either(...branches)
}

function escaped(name: string): string {
  const control = CONTROLS[name]
  if (control !== undefined) return control
  if (/[A-Za-z0-9]/.test(name)) throw new Untranslated()
  return name
}

function characterClass(source: Source): Characters {
  const negated = take(source, '^')
  const members: Characters[] = []
  while (members.length === 0 || !source.left.startsWith(']')) {
    if (source.left.startsWith('[:')) throw new Untranslated()
    const low = next(source)
    const name = low === '\\' ? next(source) : undefined
    const set = name === undefined ? undefined : SETS[name]
    if (set !== undefined) members.push(set)
    else members.push(span(source, name === undefined ? low : escaped(name)))
  }
  take(source, ']')
  return negated ? butNot(joined(members)) : joined(members)
}

/** Opposites (\D) among the members of a class are not translated. */
function joined(members: Characters[]): Characters {
  if (members.length === 1) return members[0] as Characters
  if (members.some(({ negated }) => negated)) throw new Untranslated()
  return together(...members)
}

/** A character, or a range that begins with it. */
function span(source: Source, low: string): Characters {
  if (!source.left.startsWith('-') || source.left.startsWith('-]')) return characters(low)
  take(source, '-')
  const high = next(source)
  const last = high === '\\' ? escaped(next(source)) : high
  // Controls stand for their whole class, which a range could cut.
  if (low < ' ' || last < low) throw new Untranslated()
  return between(low, last)
}

function repeated(source: Source, part: Language): Language {
  let result = part
  if (take(source, '*')) result = repeat(part, 0)
  else if (take(source, '+')) result = repeat(part, 1)
  else if (take(source, '?')) result = maybe(part)
  else {
    const counted = /^\{([0-9]+)(?:(,)([0-9]*))?\}/.exec(source.left)
    if (counted === null) {
      if (source.left.startsWith('{')) throw new Untranslated()
      return part
    }
    source.left = source.left.slice(counted[0].length)
    const low = Number(counted[1])
    const high = counted[2] === undefined ? low : counted[3] === '' ? undefined : Number(counted[3])
    if (low > MAX_REPEAT || (high ?? 0) > MAX_REPEAT || (high ?? low) < low) throw new Untranslated()
    result = repeat(part, low, high)
  }
  // Lazy repetition finds the same texts; a repetition of a repetition is refused by RE2.
  take(source, '?')
  if (/^[*+?{]/.test(source.left)) throw new Untranslated()
  return result
}

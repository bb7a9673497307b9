/** A set of characters, by code points. */
export interface Characters {
  ranges: [number, number][]
  negated: boolean
}

/** A regular language over characters. */
export type Language =
  | { is: 'one'; of: Characters }
  | { is: 'then'; parts: Language[] }
  | { is: 'either'; parts: Language[] }
  | { is: 'repeat'; part: Language; low: number; high: number }

const code = (character: string): number => character.codePointAt(0) as number

export const characters = (text: string): Characters => ({
  ranges: Array.from(text, (character) => [code(character), code(character)]),
  negated: false,
})
export const between = (low: string, high: string): Characters => ({
  ranges: [[code(low), code(high)]],
  negated: false,
})
export const together = (...sets: Characters[]): Characters => ({
  ranges: sets.flatMap(({ ranges }) => ranges),
  negated: false,
})
export const butNot = ({ ranges, negated }: Characters): Characters => ({ ranges, negated: !negated })
export const has = ({ ranges, negated }: Characters, point: number): boolean =>
  ranges.some(([low, high]) => point >= low && point <= high) !== negated

export const one = (of: Characters): Language => ({ is: 'one', of })
export const inOrder = (...parts: Language[]): Language => ({ is: 'then', parts })
export const either = (...parts: Language[]): Language => ({ is: 'either', parts })
export const repeat = (part: Language, low: number, high = Number.POSITIVE_INFINITY): Language => ({
  is: 'repeat',
  part,
  low,
  high,
})
export const maybe = (part: Language): Language => repeat(part, 0, 1)
export const literal = (text: string): Language =>
  inOrder(...Array.from(text, (character) => one(characters(character))))
export const ANY = repeat(one({ ranges: [], negated: true }), 0)

/** A language as a deterministic automaton that is built while it is walked. State 0 is the first. */
export interface Automaton {
  step: (state: number, point: number) => number
  accepts: (state: number) => boolean
  /** The sets of characters that it tells apart. */
  sets: Characters[]
}

interface Position {
  /** Without a character. */
  free: number[]
  over?: { set: Characters; to: number }
}

/** Positions of one automaton, at most. */
const MAX_POSITIONS = 50_000
export class TooLarge extends Error {}

export function automaton(language: Language): Automaton {
  const positions: Position[] = []
  const add = (): number => {
    if (positions.length > MAX_POSITIONS) throw new TooLarge()
    return positions.push({ free: [] }) - 1
  }
  const join = (from: number, to: number): void => void positions[from]?.free.push(to)
  /** Builds the part from `from` on and returns where it ends. */
  const build = (part: Language, from: number): number => {
    if (part.is === 'one') {
      const end = add()
      const start = add()
      join(from, start)
      ;(positions[start] as Position).over = { set: part.of, to: end }
      return end
    }
    if (part.is === 'then') return part.parts.reduce((at, each) => build(each, at), from)
    if (part.is === 'either') {
      const end = add()
      for (const each of part.parts) join(build(each, from), end)
      return end
    }
    let at = from
    for (let count = 0; count < part.low; count++) at = build(part.part, at)
    if (part.high === Number.POSITIVE_INFINITY) {
      const hub = add()
      join(at, hub)
      join(build(part.part, hub), hub)
      return hub
    }
    const end = add()
    join(at, end)
    for (let count = part.low; count < part.high; count++) {
      at = build(part.part, at)
      join(at, end)
    }
    return end
  }
  const begin = add()
  const last = build(language, begin)

  const known = new Map<string, number>()
  const states: { members: number[]; accepts: boolean; next: Map<number, number> }[] = []
  const stateOf = (members: Iterable<number>): number => {
    const closed = new Set(members)
    for (const at of closed) for (const next of positions[at]?.free ?? []) closed.add(next)
    const kept = [...closed].filter((at) => at === last || positions[at]?.over !== undefined).sort((a, b) => a - b)
    const key = kept.join(',')
    const before = known.get(key)
    if (before !== undefined) return before
    known.set(key, states.length)
    return states.push({ members: kept, accepts: closed.has(last), next: new Map() }) - 1
  }
  stateOf([begin])
  return {
    accepts: (state) => states[state]?.accepts === true,
    sets: positions.flatMap(({ over }) => (over === undefined ? [] : [over.set])),
    step: (state, point) => {
      const { members, next } = states[state] as (typeof states)[number]
      const before = next.get(point)
      if (before !== undefined) return before
      const reached = members.flatMap((at) => {
        const over = positions[at]?.over
        return over !== undefined && has(over.set, point) ? [over.to] : []
      })
      const state_ = stateOf(reached)
      next.set(point, state_)
      return state_
    },
  }
}

export function contains({ step, accepts }: Automaton, text: string): boolean {
  let state = 0
  for (const character of text) state = step(state, code(character))
  return accepts(state)
}

/** States looked at for one text, at most. */
const MAX_STATES = 40_000

/**
 * A shortest text over the alphabet (code points, nicer ones first) that is in each language or not in it, as `wanted`
 * says; undefined when there is none, 'unknown' when the search became too long.
 */
export function textWith(
  wanted: { automaton: Automaton; inside: boolean }[],
  alphabet: number[],
): string | undefined | 'unknown' {
  const letters = lettersOf(wanted, alphabet)
  const begin = wanted.map(() => 0)
  const fits = (states: number[]): boolean =>
    wanted.every(({ automaton: { accepts }, inside }, index) => accepts(states[index] as number) === inside)
  if (fits(begin)) return ''
  const seen = new Set([begin.join()])
  let edge: { states: number[]; text: string }[] = [{ states: begin, text: '' }]
  while (edge.length > 0) {
    const further: typeof edge = []
    for (const { states, text } of edge) {
      for (const letter of letters) {
        const after = states.map((state, index) => wanted[index]?.automaton.step(state, letter) as number)
        const key = after.join()
        if (seen.has(key)) continue
        seen.add(key)
        if (seen.size > MAX_STATES) return 'unknown'
        const longer = text + String.fromCodePoint(letter)
        if (fits(after)) return longer
        further.push({ states: after, text: longer })
      }
    }
    edge = further
  }
  return undefined
}

/** One character for all that the languages do not tell apart. */
function lettersOf(wanted: { automaton: Automaton }[], alphabet: number[]): number[] {
  const sets = new Map<string, Characters>()
  for (const { automaton: each } of wanted)
    for (const set of each.sets) sets.set(`${set.negated}${set.ranges.join(';')}`, set)
  const known = new Map<string, number>()
  for (const point of alphabet) {
    const key = [...sets.values()].map((set) => Number(has(set, point))).join('')
    if (!known.has(key)) known.set(key, point)
  }
  return [...known.values()]
}

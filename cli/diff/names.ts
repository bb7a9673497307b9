import { glob } from '../../lib/core/glob.ts'

/** Names that no glob of the policies tells apart, with one of them. */
export interface NameClass {
  witness: string
  /** Which of the globs fit, by their index. */
  fits: boolean[]
}

/** What names can be, as an automaton: `step` gives the next state, undefined when no name goes on so. */
interface Shape {
  first: string
  others: string
  longest: number
  likely: string[]
  valid: (name: string) => boolean
}

export const SERVERS: Shape = {
  first: 'abcdefghijklmnopqrstuvwxyz0123456789',
  others: 'abcdefghijklmnopqrstuvwxyz0123456789-',
  longest: 63,
  likely: ['server', 'other-server'],
  valid: (name) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name),
}
const TOOL = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-'
export const TOOLS: Shape = {
  first: TOOL,
  others: TOOL,
  longest: 128,
  likely: ['tool', 'other_tool'],
  valid: (name) => name !== '' && name.length <= 128,
}

/** So many states of all globs together are looked at. */
const MOST_STATES = 50_000

/**
 * The finitely many classes of names that the globs tell apart: every name of the shape is in one of them. Undefined when
 * there are too many to look at.
 */
export function classesOf(globs: string[], shape: Shape): NameClass[] | undefined {
  const found = new Map<string, NameClass>()
  const matchers = globs.map(glob)
  const add = (witness: string): void => {
    if (!shape.valid(witness)) return
    const fits = matchers.map((matches) => matches(witness))
    const key = fits.map(Number).join('')
    if (!found.has(key)) found.set(key, { witness, fits })
  }
  for (const pattern of globs) if (!pattern.includes('*')) add(pattern)
  for (const name of shape.likely) add(name)
  for (const pattern of globs) for (const part of ['any', 'x', '']) add(pattern.replaceAll('*', part))
  if (!explore(globs, shape, add)) return undefined
  return [...found.values()]
}

/** Goes through all states the globs can be in together, shortest names first, and hands on a name for each. */
function explore(globs: string[], shape: Shape, add: (name: string) => void): boolean {
  const letters = lettersOf(globs, shape)
  const machines = globs.map(machineOf)
  let reached = [{ name: '', states: machines.map(({ begin }) => begin) }]
  const seen = new Set<string>()
  for (let length = 0; length < shape.longest && reached.length > 0; length++) {
    const following: typeof reached = []
    for (const { name, states } of reached) {
      for (const letter of length === 0 ? letters.filter((each) => shape.first.includes(each)) : letters) {
        const after = machines.map(({ step }, index) => step(states[index] as number, letter))
        const longer = name + letter
        const ended = shape.valid(longer)
        const key = `${ended}|${after.join()}`
        if (seen.has(key)) continue
        seen.add(key)
        if (seen.size > MOST_STATES) return false
        if (ended) add(longer)
        following.push({ name: longer, states: after })
      }
    }
    reached = following
  }
  return true
}

/**
 * One glob: the positions before a character of it that a name may have come to (`*` is stepped over and stayed at).
 * Each set of positions is a state with a number, and what follows it is worked out once.
 */
function machineOf(pattern: string): { begin: number; step: (state: number, letter: string) => number } {
  const numbers = new Map<string, number>()
  const states: { positions: number[]; after: Map<string, number> }[] = []
  const numberOf = (reached: Set<number>): number => {
    for (const at of reached) if (pattern[at] === '*') reached.add(at + 1)
    const positions = [...reached].sort((a, b) => a - b)
    const key = positions.join()
    const number = numbers.get(key) ?? states.push({ positions, after: new Map() }) - 1
    numbers.set(key, number)
    return number
  }
  const follow = (positions: number[], letter: string): number =>
    numberOf(new Set(positions.flatMap((at) => (pattern[at] === '*' ? [at] : pattern[at] === letter ? [at + 1] : []))))
  return {
    begin: numberOf(new Set([0])),
    step: (state, letter) => {
      const { positions, after } = states[state] as (typeof states)[number]
      const next = after.get(letter) ?? follow(positions, letter)
      after.set(letter, next)
      return next
    },
  }
}

/** Every letter of the globs, and one (or two, so that names can go on) for all others. */
function lettersOf(globs: string[], shape: Shape): string[] {
  const mentioned = new Set(globs.join('').replaceAll('*', ''))
  const others = [...shape.others].filter((letter) => !mentioned.has(letter))
  return [...[...mentioned].filter((letter) => shape.others.includes(letter)), ...others.slice(0, 1)]
}

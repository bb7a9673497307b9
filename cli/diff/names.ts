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
  // A position before each character of a glob that the name may have come to; `*` is stepped over and stayed at.
  const closed = (positions: Set<number>, pattern: string): Set<number> => {
    for (const at of positions) if (pattern[at] === '*') positions.add(at + 1)
    return positions
  }
  const begin = globs.map((pattern) => closed(new Set([0]), pattern))
  let states = [{ name: '', positions: begin }]
  const seen = new Set<string>()
  for (let length = 0; length < shape.longest && states.length > 0; length++) {
    const following: typeof states = []
    for (const { name, positions } of states) {
      for (const letter of length === 0 ? letters.filter((each) => shape.first.includes(each)) : letters) {
        const after = positions.map((set, index) => {
          const pattern = globs[index] as string
          const reached = new Set<number>()
          for (const at of set) {
            if (pattern[at] === '*') reached.add(at)
            else if (pattern[at] === letter) reached.add(at + 1)
          }
          return closed(reached, pattern)
        })
        const longer = name + letter
        const ended = shape.valid(longer)
        const key = `${ended}|${after.map((set) => [...set].sort((a, b) => a - b).join(',')).join('|')}`
        if (seen.has(key)) continue
        seen.add(key)
        if (seen.size > MOST_STATES) return false
        if (ended) add(longer)
        following.push({ name: longer, positions: after })
      }
    }
    states = following
  }
  return true
}

/** Every letter of the globs, and one (or two, so that names can go on) for all others. */
function lettersOf(globs: string[], shape: Shape): string[] {
  const mentioned = new Set(globs.join('').replaceAll('*', ''))
  const others = [...shape.others].filter((letter) => !mentioned.has(letter))
  return [...[...mentioned].filter((letter) => shape.others.includes(letter)), ...others.slice(0, 1)]
}

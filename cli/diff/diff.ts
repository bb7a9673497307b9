import type { Remit } from '../../lib/api/remit.ts'
import type { ReadObject } from '../../lib/core/decide.ts'
import { factPath, valuesAt } from '../../lib/core/history/facts.ts'
import type { Json } from '../../lib/core/strict.ts'
import { alphabetOf } from './alphabet.ts'
import { type Example, exampleOf, type Hints } from './example.ts'
import { type Candidate, type Judge, newJudge } from './judge.ts'
import { ask, blocked, type Encoded, encode, type Solution } from './question.ts'
import { pinOf, rulesOf, type Side, sideOf, type Target } from './side.ts'
import type { Term } from './smt.ts'
import type { Solver } from './solver/solver.ts'
import { type Loosened, loosened } from './standing.ts'
import { targetsOf } from './targets.ts'
import type { Question } from './verify.ts'

/** What a change adds. */
export interface Difference {
  verdict: 'no wider' | 'wider' | 'undecided'
  /** Calls that are allowed now and were not; then those that wait or are drafted now and were denied. */
  examples: Example[]
  /** What is compared by being equal. */
  loosened: Loosened[]
  /** What could not be decided, and because of what. */
  undecided: Undecided[]
}
export interface Undecided {
  question: Question
  target: Target
  because: string
}

export interface Options {
  solver: Solver
  /** Milliseconds for each answer of the solver. */
  timeout: number
  /** Milliseconds since the epoch. */
  now: number
}

/** Examples of each question, at most. */
const MAX_EXAMPLES = 5
/** So many questions may be left open before the rest is not asked. */
const MAX_UNDECIDED = 5

/**
 * What new reach the second remit gives over the first: decided for every tool name and every call, by formulas. Each
 * example is one that `decide` itself answers as shown. @throws whatever the solver's process throws
 */
export async function compare(before: Remit, after: Remit, options: Options): Promise<Difference> {
  const sides = { old: sideOf(before), new: sideOf(after) }
  const found: Difference = { verdict: 'no wider', examples: [], loosened: loosened(before, after), undecided: [] }
  const all = targetsOf(sides)
  const texts = textsOf([...before.rules, ...after.rules])
  const alphabet = alphabetOf(texts)
  if (all === undefined || alphabet === undefined) {
    const because =
      all === undefined ? 'the globs tell too many names apart' : 'a text has characters of no common script'
    found.undecided.push({ question: 'Allow', target: { server: '*', tool: '*' }, because })
    return { ...found, verdict: 'undecided' }
  }
  const withServers = (remit: Remit): Remit => ({
    ...remit,
    servers: [...new Set(all.names.map(({ server }) => server))].map((name) => ({ name, url: 'http://127.0.0.1:9' })),
  })
  const judged = { old: sideOf(withServers(before)), new: sideOf(withServers(after)) }
  const judge = newJudge(judged, all.names, options.now)
  for (const question of ['Allow', 'Ask'] as const) {
    for (const target of all.targets) {
      const encoded = encode(judged, target, all.names, alphabet)
      if (encoded === undefined) note(found, question, target, 'its rules say too much of too many arguments')
      else await explore(found, judge, encoded, question, texts, options)
      if (count(found, question) >= MAX_EXAMPLES || found.undecided.length >= MAX_UNDECIDED) break
    }
  }
  const wider = found.examples.length > 0 || found.loosened.length > 0
  return { ...found, verdict: wider ? 'wider' : found.undecided.length > 0 ? 'undecided' : 'no wider' }
}

const count = ({ examples }: Difference, question: Question): number =>
  examples.filter((example) => example.question === question).length

const note = ({ undecided }: Difference, question: Question, target: Target, because: string): void =>
  void undecided.push({ question, target, because })

/** Asks about one target until no further rule gives more than before. */
async function explore(
  found: Difference,
  judge: Judge,
  encoded: Encoded,
  question: Question,
  texts: string[],
  { solver, timeout }: Options,
): Promise<void> {
  const { target } = encoded
  const hints = hintsOf(judge, encoded, texts)
  const without: Term[] = []
  while (count(found, question) < MAX_EXAMPLES) {
    const preferred = await ask(solver, encoded, question, without, true, timeout)
    let example =
      preferred.is === 'found' ? exampleOf(judge, question, candidateOf(target, preferred.solution), hints) : undefined
    let last = preferred
    if (example === undefined) {
      last = await ask(solver, encoded, question, without, false, timeout)
      if (last.is === 'none') return
      if (last.is === 'found') example = exampleOf(judge, question, candidateOf(target, last.solution), hints)
    }
    if (example === undefined) return note(found, question, target, reasonOf(judge, encoded, last.is === 'unknown'))
    found.examples.push(example)
    const { rule: name, policy } = example.decided.new
    if (name === undefined || policy === undefined) return
    without.push(blocked(encoded, { policy, name }))
  }
}

function candidateOf(target: Target, { arguments: args, objects }: Solution): Candidate {
  return {
    target,
    arguments: args,
    objects: objects.map(({ read, with: mapping, value }): ReadObject => {
      const asks: Record<string, Json> = {}
      for (const [name, arg] of Object.entries(mapping)) {
        const at = valuesAt(args, factPath(arg))
        if ('values' in at) asks[name] = at.values[0] as Json
      }
      return { tool: read, arguments: asks, value }
    }),
  }
}

/** Why a question stays open: the rules that say what is not looked into, or that it takes too long. */
function reasonOf({ sides }: Judge, { target, opaque }: Encoded, late: boolean): string {
  const names = (side: Side): string[] =>
    rulesOf(side, target)
      .filter((rule) =>
        opaque.some(
          (text) =>
            JSON.stringify(rule).includes(JSON.stringify(text).slice(1, -1)) ||
            JSON.stringify(rule).includes(text.slice(1, -1)),
        ),
      )
      .map(({ name }) => name)
  const rules = [...new Set([...names(sides.old), ...names(sides.new)])]
  if (rules.length > 0) return `of what ${rules.join(' and ')} says: ${opaque.join(', ')}`
  return late ? 'the solver found no answer in time' : 'no example of what the formulas leave open could be found'
}

function hintsOf({ sides }: Judge, { target, opaque }: Encoded, texts: string[]): Hints {
  const members = opaque.flatMap((text) =>
    [...text.matchAll(/\bargs\.([A-Za-z_][A-Za-z0-9_]*)/g)].map((found) => found[1] as string),
  )
  const schema = pinOf(sides.new, target)?.definition?.inputSchema as Record<string, unknown> | undefined
  const literals = opaque.flatMap((text) => [...text.matchAll(/"([^"]*)"|'([^']*)'|\b([0-9]+(?:\.[0-9]+)?)\b/g)])
  const values = literals.map(([, double, single, number]) =>
    number === undefined ? (double ?? single ?? '') : Number(number),
  )
  return {
    members: [...new Set(members)],
    values: [...new Set(values)].slice(0, 6),
    texts: texts.slice(0, 60),
    ...(schema === undefined ? {} : { schema }),
  }
}

/** Every text that rules mention as a value: an alphabet has to have their characters, and they make good examples. */
function textsOf(rules: unknown[]): string[] {
  const found = new Set<string>()
  const visit = (value: unknown, key: string): void => {
    if (typeof value === 'string') {
      if (!NO_VALUE.has(key)) found.add(key === 'suffix' && value.startsWith('@') ? `a${value}` : value)
    } else if (Array.isArray(value)) for (const each of value) visit(each, key)
    else if (typeof value === 'object' && value !== null)
      for (const [name, each] of Object.entries(value)) visit(each, name)
  }
  visit(rules, '')
  return [...found]
}
const NO_VALUE = new Set([
  'policy',
  'mode',
  'type',
  'name',
  'arg',
  'servers',
  'tools',
  'uris',
  'prompts',
  'methods',
  'effect',
  'otherwise',
  'class',
  'classes',
  'per',
  'within',
  'for',
  'scope',
  'read',
  'fields',
  'sum',
  'distinct',
  'tool',
  'pattern',
  'cel',
  'cidr',
  'min',
  'max',
])

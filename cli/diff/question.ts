import type { Json } from '../../lib/core/strict.ts'
import type { Alphabet } from './alphabet.ts'
import { newAtoms } from './atoms.ts'
import { comparePast, type Names, newPast } from './history.ts'
import { jsonOf, type Model, valuesOf, variablesOf } from './model.ts'
import { factsOf } from './other.ts'
import { rulesOf, type Side, type Target } from './side.ts'
import { and, FALSE, not, or, parse, type Term } from './smt.ts'
import type { Solver } from './solver/solver.ts'
import { textsFor } from './texts.ts'
import { declarations, KINDS, type Node, plain, sizeOf } from './tree.ts'
import { encodeSide, plant, ruleKey, type World } from './verdict.ts'
import type { Question } from './verify.ts'

/** Both sides' formulas about calls of one target. */
export interface Encoded {
  target: Target
  world: World
  alphabet: Alphabet
  /** When a call is what is asked for. */
  asked: Record<Question, Term>
  /** When a rule gives what it gives, by rule. */
  gives: { old: Map<string, Term>; new: Map<string, Term> }
  /** What is not encoded to the letter. */
  opaque: string[]
}

/** What a call is that the solver found. */
export interface Solution {
  arguments: Json
  objects: { read: string; with: Record<string, string>; value: Json }[]
}
export type Answer = { is: 'none' } | { is: 'unknown' } | { is: 'found'; solution: Solution }

/** Values of one formula, at most; more take too long. */
const MAX_VALUES = 400
/** Models that are tried because their texts cannot be. */
const MAX_ROUNDS = 400
/** z3's own measure of work, so that what is answered does not depend on the machine; the time limit comes on top. */
const WORK = 30_000_000

/** @returns undefined when the formulas would be too large */
export function encode(
  sides: { old: Side; new: Side },
  target: Target,
  names: Names,
  alphabet: Alphabet,
): Encoded | undefined {
  const rules = [...rulesOf(sides.old, target), ...rulesOf(sides.new, target)]
  const trees = plant(rules, target.type === 'resource')
  const size = sizeOf(trees.args) + [...trees.objects.values()].reduce((sum, { node }) => sum + sizeOf(node), 0)
  if (size > MAX_VALUES) return undefined
  const world: World = { ...trees, atoms: newAtoms(alphabet), past: newPast(names) }
  if (target.type !== undefined)
    for (const fact of factsOf(world.atoms, world.args, target.type, target.tool)) world.atoms.fact(fact)
  const old = encodeSide(world, sides.old, target)
  const now = encodeSide(world, sides.new, target)
  comparePast(world.atoms, world.past)
  return {
    target,
    world,
    alphabet,
    asked: {
      Allow: and(now.Allow, not(old.Allow)),
      Ask: or(and(now.Ask, or(old.Deny, old.Draft)), and(now.Draft, old.Deny)),
    },
    gives: { old: old.gives, new: now.gives },
    opaque: [...world.atoms.opaque],
  }
}

/** Examples found so far are left out: calls that the same new rule gives. */
export function blocked({ gives }: Encoded, rule: { policy: string; name: string }): Term {
  return not(gives.new.get(ruleKey(rule)) ?? FALSE)
}

/** @param preferred whether to look only among calls of which every formula is exact */
export async function ask(
  solver: Solver,
  encoded: Encoded,
  question: Question,
  without: Term[],
  preferred: boolean,
  ms: number,
): Promise<Answer> {
  const goal = and(encoded.asked[question], ...without)
  if (goal === FALSE) return { is: 'none' }
  if (ms <= 0) return { is: 'unknown' }
  const { world, alphabet } = encoded
  const { args, objects, atoms } = world
  const roots: Node[] = [args, ...[...objects.values()].map(({ node }) => node)]
  const { texts } = atoms
  const until = Date.now() + ms
  const variables = [...roots.flatMap(variablesOf), ...texts.names()]
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const left = until - Date.now()
    if (left <= 0) return { is: 'unknown' }
    const known = [
      ...atoms.facts,
      ...texts.facts,
      ...(preferred ? [...roots.flatMap(plain), ...atoms.preferences, ...texts.plainFacts] : []),
    ]
    const script = [
      '(set-option :produce-models true)',
      `(set-option :rlimit ${WORK})`,
      KINDS,
      ...roots.flatMap(declarations),
      ...[...atoms.names.values(), ...texts.names()].map((name) => `(declare-const ${name} Bool)`),
      ...[...known, goal].map((term) => `(assert ${term})`),
      '(check-sat)',
      `(get-value (${variables.join(' ')}))`,
    ]
    const answer = await solver.ask(script.join('\n'), left)
    if (answer === undefined) return { is: 'unknown' }
    const [verdict, pairs] = parse(answer)
    if (verdict === 'unsat') return { is: 'none' }
    if (verdict === 'unknown') return { is: 'unknown' }
    if (verdict !== 'sat' || !Array.isArray(pairs))
      throw new Error(`the solver does not understand a formula: ${answer.slice(0, 300)}`)
    const values = valuesOf(pairs)
    const found = textsFor(texts, alphabet, preferred, truthIn(values))
    if (found === 'unknown') return { is: 'unknown' }
    if (found !== 'conflict') return { is: 'found', solution: solutionOf(world, { values, texts: found }) }
  }
  return { is: 'unknown' }
}

/** Whether a variable, or that a value is of a kind, is true in a model. */
const truthIn =
  (values: Model['values']) =>
  (term: Term): boolean => {
    const kind = /^\(= (\w+) (\w+)\)$/.exec(term)
    return kind === null ? values.get(term) === 'true' : values.get(kind[1] as string) === kind[2]
  }

const solutionOf = ({ args, objects }: World, model: Model): Solution => ({
  arguments: jsonOf(args, model),
  objects: [...objects.values()].map(({ node, read, with: mapping }) => ({
    read,
    with: mapping,
    value: jsonOf(node, model),
  })),
})

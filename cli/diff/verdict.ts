import { canonical } from '../../lib/core/canonical.ts'
import { isStronger } from '../../lib/core/class.ts'
import { parsePath, type Step } from '../../lib/core/path.ts'
import type { Atoms } from './atoms.ts'
import { rare } from './atoms.ts'
import { encodeConstraint, pathsOf, type Truth } from './constraint.ts'
import { encodeOutside } from './fields.ts'
import { type Checked, encodeEvidence, encodeLimit, encodeTaint, isNotScalar, type PastAtoms } from './history.ts'
import { ANSWER, type Rule, speaksWhen } from './other.ts'
import { annotatedOf, isUnpinned, type Side, speaking, type Target } from './side.ts'
import { and, FALSE, not, or, type Term, TRUE } from './smt.ts'
import { type Node, resolve, treeOf } from './tree.ts'

/** What the question is about: the arguments, and what was read for rules with `object`, by `objectKey`. */
export interface World {
  atoms: Atoms
  past: PastAtoms
  args: Node
  objects: Map<string, { node: Node; read: string; with: Record<string, string> }>
}

/** Exactly one is true of a call. */
export interface Effects {
  Allow: Term
  Draft: Term
  Ask: Term
  Deny: Term
  /** When each rule gives what it gives, for telling examples apart. */
  gives: Map<string, Term>
}

type ToolRule = Extract<Rule, { type: 'tool' }>
export const ruleKey = ({ policy, name }: { policy: string; name: string }): string => `${policy} ${name}`
const objectKey = ({ read, with: mapping = {} }: NonNullable<ToolRule['object']>): string =>
  canonical({ read, mapping })

const constraintsOf = (rule: Rule) => (rule.type === 'tool' ? rule.where : rule.unless) ?? []
const quantifierOf = (rule: Rule) => (rule.type === 'tool' && rule.effect === 'Deny' ? 'some' : 'every')

/** The trees of all that the rules mention. Each thing that is said, once: as many ways through a list, as many slots. */
export function plant(rules: Rule[], resource: boolean): Pick<World, 'args' | 'objects'> {
  const said = new Map<string, Step[][]>()
  const objects = new Map<string, { rule: NonNullable<ToolRule['object']>; said: Map<string, Step[][]> }>()
  const path = (arg: string): Step[][] => [parsePath(arg) as Step[]]
  if (resource) said.set('uri', path('uri'))
  for (const rule of rules) {
    for (const constraint of constraintsOf(rule))
      said.set(canonical({ constraint, quantifier: quantifierOf(rule) }), pathsOf(constraint))
    if (rule.type !== 'tool') continue
    if (rule.fields !== undefined) said.set(canonical({ fields: rule.fields }), rule.fields.flatMap(path))
    for (const { sum, distinct } of rule.limits ?? [])
      if (sum ?? distinct) said.set(canonical({ sum, distinct }), path((sum ?? distinct) as string))
    for (const { same = {} } of rule.evidence ?? []) for (const mine of Object.keys(same)) said.set(mine, path(mine))
    if (rule.object === undefined) continue
    for (const mine of Object.values(rule.object.with ?? {})) said.set(mine, path(mine))
    const key = objectKey(rule.object)
    const object = objects.get(key) ?? { rule: rule.object, said: new Map() }
    for (const constraint of rule.object.where ?? []) object.said.set(canonical(constraint), pathsOf(constraint))
    objects.set(key, object)
  }
  return {
    args: treeOf('a', [...said.values()].flat()),
    objects: new Map(
      [...objects].map(([key, object], index) => [
        key,
        {
          node: treeOf(`b${index}_`, [...object.said.values()].flat()),
          read: object.rule.read,
          with: object.rule.with ?? {},
        },
      ]),
    ),
  }
}

/** What one rule finds, as `examine` of lib/core. */
interface Found {
  rule: Rule
  invariant: Term
  error: Term
  deny: Term
  ask: Term
  draft: Term
  allow: Term
}
const NOTHING = { invariant: FALSE, error: FALSE, deny: FALSE, ask: FALSE, draft: FALSE, allow: FALSE }

export function encodeSide(world: World, side: Side, target: Target): Effects {
  const gives = new Map<string, Term>()
  if (isUnpinned(side, target)) return { Allow: FALSE, Draft: FALSE, Ask: FALSE, Deny: TRUE, gives }
  const found = speaking(side, target).map(({ rule, gives: whole }) => {
    const each = only(speaksWhen(world.atoms, world.args, rule), examine(world, side, target, rule))
    return { ...each, allow: whole ? each.allow : FALSE, whole: whole && rule.type === 'tool' }
  })
  const any = (name: Exclude<keyof Found, 'rule'>, list = found): Term => or(...list.map((each) => each[name]))
  const givers = found.filter(({ whole }) => whole)
  const others = found.filter(({ whole }) => !whole)
  const stopped = or(any('invariant'), any('error'), any('deny'))
  const byDefault = side.byDefault === 'Allow' ? TRUE : FALSE
  const given = or(byDefault, any('allow', givers), any('draft', givers), any('ask', givers))
  const asks = or(any('ask', givers), and(any('ask', others), given))
  const drafts = or(any('draft', givers), and(any('draft', others), given))
  const Ask = and(not(stopped), asks)
  const Draft = and(not(stopped), not(asks), drafts)
  const Allow = and(not(stopped), not(asks), not(drafts), or(byDefault, any('allow', givers)))
  for (const { rule, allow, draft, ask } of givers) gives.set(ruleKey(rule), or(allow, draft, ask))
  return { Allow, Draft, Ask, Deny: and(not(Allow), not(Draft), not(Ask)), gives }
}

function examine(world: World, side: Side, target: Target, rule: Rule): Found {
  const truths = constraintsOf(rule).map((constraint) =>
    encodeConstraint(world.atoms, world.args, constraint, quantifierOf(rule)),
  )
  const error = or(...truths.map((truth) => truth.error))
  if (rule.type === 'tool' && rule.effect !== 'Deny') return giving(world, side, target, rule, truths, error)
  const sure = not(error)
  if (rule.type === 'tool') {
    return { ...NOTHING, rule, error, deny: and(sure, ...truths.map((truth) => not(truth.false))) }
  }
  const applies = and(sure, truths.length === 0 ? TRUE : or(...truths.map(misses)))
  if (rule.type !== 'taint') return { ...NOTHING, rule, error, [rule.type === 'guard' ? 'ask' : 'invariant']: applies }
  const tainted = encodeTaint(world.atoms, world.past, side.remit, rule.after, rule.for)
  return { ...NOTHING, rule, error: and(tainted, error), ask: and(tainted, applies) }
}

/** What is found where the rule speaks at all. */
const only = (when: Term, { rule, ...found }: Found): Found => ({
  rule,
  invariant: and(when, found.invariant),
  error: and(when, found.error),
  deny: and(when, found.deny),
  ask: and(when, found.ask),
  draft: and(when, found.draft),
  allow: and(when, found.allow),
})

const misses = (truth: Truth): Term => or(truth.false, truth.nothing)

function giving(world: World, side: Side, target: Target, rule: ToolRule, truths: Truth[], wrong: Term): Found {
  const { atoms, past, args } = world
  const checks: Checked[] = [
    ...(rule.limits ?? []).map((limit) => encodeLimit(atoms, past, args, limit, rule, side.remit)),
    ...(rule.evidence ?? []).map((evidence) => encodeEvidence(atoms, past, args, evidence)),
  ]
  const outside = rule.fields === undefined ? FALSE : encodeOutside(args, rule.fields)
  const standing = and(not(or(...truths.map(misses))), not(outside))
  if (rule.object !== undefined) {
    const object = objectCheck(world, rule.object)
    checks.push({ holds: or(not(standing), object.holds), error: and(standing, object.error) })
  }
  const error = or(wrong, ...checks.map((check) => check.error))
  const met = and(not(error), standing, ...checks.map((check) => check.holds))
  const missed = and(not(error), not(met))
  const found: Found = { ...NOTHING, rule, error }
  const annotated = annotatedOf(side, target)
  const raised = rule.class !== undefined && annotated !== undefined && isStronger(annotated, rule.class)
  const effect = raised || rule.effect === 'Ask' ? 'ask' : rule.effect === 'Draft' ? 'draft' : 'allow'
  found[effect] = met
  if (rule.otherwise !== undefined) {
    const name = ({ Ask: 'ask', Draft: 'draft', Deny: 'deny' } as const)[rule.otherwise]
    found[name] = or(found[name], missed)
  }
  return found
}

function objectCheck(world: World, object: NonNullable<ToolRule['object']>): Checked {
  const { atoms, args, objects } = world
  const key = objectKey(object)
  const tree = objects.get(key) as { node: Node }
  const mine = Object.values(object.with ?? {})
  const several = mine.flatMap((arg) => lists(args, parsePath(arg) as Step[]))
  const unread = object.read === ANSWER ? FALSE : rare(atoms, { unread: key }, TRUE)
  const truths = (object.where ?? []).map((constraint) => encodeConstraint(atoms, tree.node, constraint, 'every'))
  return {
    holds: and(...truths.map((truth) => truth.true)),
    error: or(unread, ...mine.map((arg) => isNotScalar(args, arg)), ...several, ...truths.map((truth) => truth.error)),
  }
}

/** Whether a list on the way has more than one element: then the path does not lead to one value. */
function lists(root: Node, steps: Step[]): Term[] {
  return steps.flatMap((step, index) =>
    'each' in step
      ? resolve(root, steps.slice(0, index)).values.map(({ when, node }) => and(when, `(> ${node.id}n 1)`))
      : [],
  )
}

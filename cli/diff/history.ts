import type { Evidence, Limit, Match } from '../../lib/api/gen/types.ts'
import type { Remit, RemitRule } from '../../lib/api/remit.ts'
import { canonical } from '../../lib/core/canonical.ts'
import { bound } from '../../lib/core/decimal.ts'
import { parseDuration } from '../../lib/core/duration.ts'
import { compileMatch } from '../../lib/core/match.ts'
import { parsePath, type Step } from '../../lib/core/path.ts'
import { DEFAULT_FOR } from '../../lib/core/prepare-rule.ts'
import { DEFAULT_WITHIN, matchTool } from '../../lib/core/rule/evidence.ts'
import { type Atoms, rare } from './atoms.ts'
import { isDecimal } from './operators.ts'
import { and, FALSE, implies, not, or, real, type Term, TRUE } from './smt.ts'
import { is, type Node, resolve } from './tree.ts'

/** The tools that the policies tell apart, each by one of its kind; calls of the past are calls of these. */
export type Names = { server: string; tool: string }[]

/** A set of past calls: by tools where that can be said, and by what makes two sets equal. */
interface Calls {
  about: string
  /** By their index; a server's resources and prompts count as one more tool of it, behind all others. */
  tools: Set<number> | 'this tool' | undefined
}

/** Something of the past that holds or not, comparable with others of its kind. */
interface Past {
  term: Term
  kind: string
  calls: Calls
  /** Milliseconds. */
  per: number
  most?: ReturnType<typeof bound>
}

/** What two policies say of the past, to be compared when all of it is known. */
export interface PastAtoms {
  limits: Past[]
  unknown: Past[]
  evidence: Past[]
  taints: Past[]
  names: Names
}
export const newPast = (names: Names): PastAtoms => ({ limits: [], unknown: [], evidence: [], taints: [], names })

export interface Checked {
  holds: Term
  error: Term
}

const stepsOf = (arg: string): Step[] => parsePath(arg) as Step[]
const ms = (text: string): number => parseDuration(text) ?? 0

/** The values at a path have to be single ones: no error, nothing missing, no list. */
function scalars(root: Node, arg: string): { error: Term; values: { when: Term; node: Node }[] } {
  const { errors, empties, missing, values } = resolve(root, stepsOf(arg))
  const strange = values.map(({ when, node }) => and(when, or(is(node, 'Null'), is(node, 'List'), is(node, 'Object'))))
  return { error: or(...errors, ...empties, ...missing, ...strange), values }
}
export const isNotScalar = (root: Node, arg: string): Term => scalars(root, arg).error

export function encodeLimit(
  atoms: Atoms,
  past: PastAtoms,
  root: Node,
  limit: Limit,
  rule: Extract<RemitRule, { type: 'tool' }>,
  remit: Remit,
): Checked {
  const { calls, sum, distinct, concurrent, max, per = '', scope = 'Rule' } = limit
  const counted = callsOf(past.names, scope, rule, remit)
  const kind = canonical({ sum, distinct, concurrent: concurrent !== undefined })
  const arg = sum ?? distinct
  const most = bound(max ?? String(calls ?? concurrent))
  const about = { kind, counted: counted.about, scope }
  const term = atoms.variable({ limit: about, per: ms(per), most: most.toFixed() })
  past.limits.push({ term, kind, calls: counted, per: ms(per), most })
  if (arg === undefined) return { holds: most.gt(0) ? term : FALSE, error: FALSE }
  const unknown = rare(atoms, { unknown: about, per: ms(per) }, TRUE)
  past.unknown.push({ term: unknown, kind, calls: counted, per: ms(per) })
  const { error, values } = scalars(root, arg)
  if (distinct !== undefined) return { holds: most.gte(1) ? term : FALSE, error: or(error, unknown) }
  const wrong = values.map(({ when, node }) => {
    const decimal = and(is(node, 'Text'), isDecimal(atoms, node))
    const positive = or(and(is(node, 'Number'), `(>= ${node.id}r 0.0)`), and(decimal, `(>= ${node.id}d 0.0)`))
    return and(when, not(positive))
  })
  // Even without a past, no single value can be above the whole.
  for (const { when, node } of values) {
    const value = `(ite ${is(node, 'Number')} ${node.id}r ${node.id}d)`
    atoms.fact(implies(and(term, when, not(or(error, ...wrong))), `(<= ${value} ${real(most.toFixed())})`))
  }
  return { holds: term, error: or(error, unknown, ...wrong) }
}

function callsOf(names: Names, scope: string, rule: Extract<RemitRule, { type: 'tool' }>, remit: Remit): Calls {
  if (scope === 'Tool') return { about: 'this tool', tools: 'this tool' }
  if (scope === 'Agent') return { about: 'agent', tools: new Set(names.keys()) }
  const matches =
    scope === 'Rule'
      ? [rule.match]
      : remit.rules.flatMap((other) =>
          other.type === 'tool' && other.policy === rule.policy && other.effect !== 'Deny' ? [other.match] : [],
        )
  return among(names, matches, remit)
}

/** Which calls some matches are about. Where classes count, only equal matches under equal classes are the same. */
function among(names: Names, matches: Match[], remit: Remit): Calls {
  if (matches.some(({ classes }) => classes !== undefined)) {
    const giving = remit.rules.flatMap((rule) =>
      rule.type === 'tool' && rule.class !== undefined ? [canonical({ cls: rule.class, match: rule.match })] : [],
    )
    const about = { matches: matches.map((match) => canonical(match)).sort(), giving: [...new Set(giving)].sort() }
    return { about: canonical(about), tools: undefined }
  }
  const fits = matches.map((match) => compileMatch(match).names)
  const tools = new Set(
    [...names.keys()].filter((index) =>
      fits.some((among) => among(names[index]?.server ?? '', names[index]?.tool ?? '')),
    ),
  )
  return { about: [...tools].join(','), tools }
}

/** Which calls raise a taint: also reads, where a match names servers alone. */
function tainting(names: Names, after: Match, remit: Remit): Calls {
  const calls = among(names, [after], remit)
  if (!(calls.tools instanceof Set)) return calls
  const { everythingOf } = compileMatch(after)
  const servers = [...new Set(names.map(({ server }) => server))]
  const reads = servers.flatMap((server, index) => (everythingOf(server) ? [names.length + index] : []))
  const tools = new Set([...calls.tools, ...reads])
  return { about: [...tools].join(','), tools }
}

export function encodeEvidence(atoms: Atoms, past: PastAtoms, root: Node, evidence: Evidence): Checked {
  const { tool, within = DEFAULT_WITHIN, same = {} } = evidence
  const fits = matchTool(tool)
  const tools = new Set(
    [...past.names.keys()].filter((index) => fits(past.names[index]?.server ?? '', past.names[index]?.tool ?? '')),
  )
  const calls: Calls = { about: [...tools].join(','), tools }
  const kind = canonical(same)
  const term = atoms.variable({ evidence: calls.about, kind, per: ms(within) })
  past.evidence.push({ term, kind, calls, per: ms(within) })
  return { holds: term, error: or(...Object.keys(same).map((mine) => isNotScalar(root, mine))) }
}

/** Whether a call of `after` was made in the time that a taint lasts. */
export function encodeTaint(atoms: Atoms, past: PastAtoms, remit: Remit, after: Match, lasts = DEFAULT_FOR): Term {
  const calls = tainting(past.names, after, remit)
  const term = atoms.variable({ taint: calls.about, per: ms(lasts) })
  past.taints.push({ term, kind: 'taint', calls, per: ms(lasts) })
  return term
}

/** Whether every call in one set is in the other, for sure. */
function within(few: Calls, many: Calls): boolean {
  if (few.about === many.about) return true
  if (many.tools === undefined || few.tools === undefined || many.tools === 'this tool') return false
  if (few.tools === 'this tool') return true
  const all = many.tools
  return [...few.tools].every((tool) => all.has(tool))
}

/** What follows from one thing of the past for another: a limit that counts more, or allows less, is reached first. */
export function comparePast(atoms: Atoms, past: PastAtoms): void {
  const more = (a: Past, b: Past): boolean => a.kind === b.kind && a.per >= b.per && within(b.calls, a.calls)
  for (const a of past.limits)
    for (const b of past.limits)
      if (a.term !== b.term && more(a, b) && a.most?.lte(b.most ?? 0)) atoms.fact(implies(a.term, b.term))
  for (const list of [past.unknown, past.evidence, past.taints])
    for (const a of list) for (const b of list) if (a.term !== b.term && more(a, b)) atoms.fact(implies(b.term, a.term))
}

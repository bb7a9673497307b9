import type Big from 'big.js'
import type { AgentPolicy, Constraint, ToolRule } from '../api/gen/types.ts'
import type { CallRecord, IntentBody } from '../api/receipt.ts'
import { compileConstraint } from './constraint.ts'
import { checkConstraints } from './constraint-check.ts'
import { decimalOf } from './decimal.ts'
import { type Seen, scalarsByPath } from './observe.ts'
import { problems } from './problem.ts'
import type { Json } from './strict.ts'

/** Distinct texts up to which a suggestion lists them. */
const FEW = 5
/** Constraints of one rule, as the kind's schema allows. */
const MAX_CONSTRAINTS = 32
const READ = /^(?:get|list|read|search)[_-]/

type Call = Extract<CallRecord, { type: 'tool' }>

/**
 * A policy that allows what was really done and little else; every call given is allowed by it. Only calls that were
 * made count (decision Allow). Tools named get_, list_, read_ or search_ make one rule a server without constraints, by
 * glob once two tools share the verb; every other tool is a rule of its own, with what its arguments had in common:
 * numbers their range, addresses at one domain that suffix, up to 5 texts that recur the list of them, identifiers
 * that differ their common prefix. Free text is left unconstrained. The result depends on the calls, not their order.
 */
export function suggestPolicy(intents: IntentBody[], name: string, namespace: string): AgentPolicy {
  const calls = intents.flatMap(({ call, decision }) =>
    call.type === 'tool' && decision.effect === 'Allow' ? [call] : [],
  )
  const names = new Set<string>()
  const unique = (wanted: string): string => {
    const base = slug(wanted)
    let free = base
    for (let i = 2; names.has(free); i++) free = `${base}-${i}`
    names.add(free)
    return free
  }
  const reads = grouped(
    calls.filter((call) => READ.test(call.tool)),
    (call) => call.server,
  )
  const others = grouped(
    calls.filter((call) => !READ.test(call.tool)),
    (call) => `${call.server}\n${call.tool}`,
  )
  const tools = [
    ...reads.map(([server, list]): ToolRule => {
      const match = { servers: [server], tools: readGlobs(list) }
      return { name: unique(`read-${server}`), match, class: 'Read', effect: 'Allow' }
    }),
    ...others.map(([, list]): ToolRule => {
      const { server, tool } = list[0] as Call
      const where = constraintsFor(list)
      const rule: ToolRule = { name: unique(tool), match: { servers: [server], tools: [tool] }, effect: 'Allow' }
      return where.length === 0 ? rule : { ...rule, where }
    }),
  ]
  return {
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'AgentPolicy',
    metadata: { name, namespace },
    spec: { mode: 'Enforce', tools },
  }
}

/** As a rule's name is spelled: lower-case letters, digits and dashes, with room for a number. */
function slug(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 56)
  return plain.replace(/^-+|-+$/g, '') || 'tool'
}

function grouped(calls: Call[], key: (call: Call) => string): [string, Call[]][] {
  const groups = new Map<string, Call[]>()
  for (const call of calls) groups.set(key(call), [...(groups.get(key(call)) ?? []), call])
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
}

function readGlobs(calls: Call[]): string[] {
  const tools = [...new Set(calls.map((call) => call.tool))]
  const verb = (tool: string): string => (READ.exec(tool) as RegExpExecArray)[0]
  const shared = (tool: string): boolean => tools.filter((other) => verb(other) === verb(tool)).length > 1
  return [...new Set(tools.map((tool) => (shared(tool) ? `${verb(tool)}*` : tool)))].sort()
}

function constraintsFor(calls: Call[]): Constraint[] {
  // A call whose arguments were too large to keep may have had any.
  if (calls.some((call) => call.arguments === undefined)) return []
  const all = calls.map((call) => call.arguments as Json)
  return scalarsByPath(all)
    .flatMap((seen) => holding(candidate(seen), calls))
    .slice(0, MAX_CONSTRAINTS)
}

/** The candidate as it holds for every call, made optional where need be; nothing when it does not. */
function holding(constraint: Constraint | undefined, calls: Call[]): Constraint[] {
  if (constraint === undefined) return []
  const found = problems()
  checkConstraints([constraint], 'where', found)
  if (found.list.length > 0) return []
  const holds = (variant: Constraint): boolean => {
    const evaluate = compileConstraint(variant, 'every', false)
    return calls.every((call) => evaluate(call.arguments as Json, call).is === 'true')
  }
  return [constraint, { ...constraint, optional: true }].filter(holds).slice(0, 1)
}

function candidate({ path, values }: Seen): Constraint | undefined {
  const distinct = [...new Set(values)]
  if (distinct.every((value) => typeof value === 'boolean')) {
    return distinct.length === 1 ? { arg: path, equals: distinct[0] as boolean } : undefined
  }
  const key = path.slice(path.lastIndexOf('.') + 1)
  const decimals = distinct.map((value) => (typeof value === 'boolean' ? { problem: '' } : decimalOf(value)))
  if (decimals.every((decimal) => 'value' in decimal)) {
    return /(?:^|_|-)id$|Id$/.test(key)
      ? undefined
      : range(
          path,
          decimals.map((decimal) => decimal.value),
        )
  }
  const texts = distinct.filter((value) => typeof value === 'string').sort()
  return texts.length === distinct.length ? forTexts(path, texts, values.length) : undefined
}

function range(arg: string, decimals: Big[]): Constraint {
  const sorted = [...decimals].sort((a, b) => a.cmp(b))
  return { arg, min: (sorted[0] as Big).toFixed(), max: (sorted[sorted.length - 1] as Big).toFixed() }
}

function forTexts(arg: string, texts: string[], count: number): Constraint | undefined {
  const domains = new Set(texts.map((text) => /^[^@\s]+(@[^@\s]+)$/.exec(text)?.[1]))
  const [domain] = domains
  if (domains.size === 1 && domain !== undefined) return { arg, suffix: domain }
  if (texts.some((text) => text === '' || text.length > 64 || /\s/.test(text))) return undefined
  if (texts.length <= FEW && (texts.length < count || count === 1)) return { arg, in: texts }
  const first = texts[0] as string
  const last = texts[texts.length - 1] as string
  let length = 0
  while (length < first.length && first[length] === last[length]) length++
  const prefix = /^.{2,}[-_:/.]/.exec(first.slice(0, length))?.[0]
  return prefix === undefined ? undefined : { arg, prefix }
}

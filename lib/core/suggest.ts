import type { AgentPolicy, ToolRule } from '../api/gen/types.ts'
import type { CallRecord, IntentBody } from '../api/receipt.ts'
import { constraintsFor } from './suggest-constraints.ts'
import { suggestOthers } from './suggest-others.ts'

const READ = /^(?:get|list|read|search)[_-]/

type Call = Extract<CallRecord, { type: 'tool' }>

/**
 * A policy that allows what was really done and little else; every call given is allowed by it. Only calls that were
 * made count (decision Allow). Tools named get_, list_, read_ or search_ make one rule a server without constraints, by
 * glob once two tools share the verb; every other tool is a rule of its own, with what its arguments had in common:
 * numbers their range, addresses at one domain that suffix, up to 5 texts that recur the list of them, identifiers
 * that differ their common prefix. Free text is left unconstrained. What was read beside tools and what servers asked is
 * allowed by rules of its own. The result depends on the calls, not their order.
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
      const where = constraintsFor(list.map((call) => ({ ...call, about: call })))
      const rule: ToolRule = { name: unique(tool), match: { servers: [server], tools: [tool] }, effect: 'Allow' }
      return where.length === 0 ? rule : { ...rule, where }
    }),
  ]
  return {
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'AgentPolicy',
    metadata: { name, namespace },
    spec: { mode: 'Enforce', tools, ...suggestOthers(intents, unique) },
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

import { isCallRule, type RemitRule } from '../../lib/api/remit.ts'
import { canonical } from '../../lib/core/canonical.ts'
import { REQUESTS } from '../../lib/core/other-call.ts'
import type { Names } from './history.ts'
import { classesOf, type NameClass, SERVERS, TOOLS } from './names.ts'
import type { Rule } from './other.ts'
import { annotatedOf, isUnpinned, pinOf, rulesOf, type Side, type Target, usesClasses } from './side.ts'

/** The tools that have to be asked about, and one of each kind that the policies tell apart. */
export interface Targets {
  targets: Target[]
  names: Names
}

/** Pairs of server and tool, at most. */
const MAX_PAIRS = 40_000

/** Undefined when there are too many kinds of names. */
export function targetsOf(sides: { old: Side; new: Side }): Targets | undefined {
  const globs = globsOf([...sides.old.remit.rules, ...sides.new.remit.rules], [...sides.old.pins, ...sides.new.pins])
  const servers = classesOf(globs.servers, SERVERS)
  const tools = classesOf(globs.tools, TOOLS)
  if (servers === undefined || tools === undefined || servers.length * tools.length > MAX_PAIRS) return undefined
  const witness = ({ witness }: NameClass): string => witness
  const names = servers.map(witness).flatMap((server) => tools.map(witness).map((tool) => ({ server, tool })))
  const annotations =
    usesClasses(sides.old) || usesClasses(sides.new) ? ([undefined, 'Write', 'SideEffect'] as const) : [undefined]
  const known = new Map<string, Target>()
  for (const name of names) {
    for (const annotated of annotations) {
      const target: Target = { ...name, ...(annotated === undefined ? {} : { annotated }) }
      if (saysOf(sides.old, target, false) === saysOf(sides.new, target, false)) continue
      const key = `${saysOf(sides.old, target, true)} ${saysOf(sides.new, target, true)}`
      if (!known.has(key)) known.set(key, target)
    }
  }
  const prompts = classesOf(globs.prompts, TOOLS)
  if (prompts === undefined || servers.length * prompts.length > MAX_PAIRS) return undefined
  for (const server of servers.map(witness)) {
    for (const target of othersOf(server, prompts.map(witness))) {
      if (saysOf(sides.old, target, false) === saysOf(sides.new, target, false)) continue
      const key = `${target.type} ${saysOf(sides.old, target, true)} ${saysOf(sides.new, target, true)}`
      if (!known.has(key)) known.set(key, target)
    }
  }
  return { targets: [...known.values()], names }
}

/** What of a server is asked about beside its tools. */
const othersOf = (server: string, prompts: string[]): Target[] => [
  { type: 'resource', server, tool: '*' },
  ...prompts.map((tool): Target => ({ type: 'prompt', server, tool })),
  ...REQUESTS.flatMap((tool): Target[] => [
    { type: 'request', server, tool },
    { type: 'answer', server, tool },
  ]),
]

/** All that decides on a tool's calls; the same for two means that no call tells them apart. */
function saysOf(side: Side, target: Target, named: boolean): string {
  if (isUnpinned(side, target)) return 'unpinned'
  const rules = rulesOf(side, target).map((rule) => canonical(named ? rule : contentOf(rule, side)))
  const byClass = side.rules.some(
    ({ rule }) => rule.match.classes !== undefined || (rule.type === 'taint' && rule.after.classes !== undefined),
  )
  return canonical({
    rules: [...new Set(rules)].sort(),
    classes: byClass ? side.remit.rules.filter(isCallRule).flatMap(classGiven).sort() : [],
    byDefault: side.byDefault,
    annotated: annotatedOf(side, target) ?? null,
    pin: pinOf(side, target)?.digest ?? null,
  })
}

const classGiven = (rule: Rule): string[] =>
  rule.type === 'tool' && rule.class !== undefined ? [canonical({ cls: rule.class, match: rule.match })] : []

/** What a rule says, without who says it; a limit that counts all of a policy speaks of its other rules too. */
function contentOf(rule: Rule, { remit }: Side): object {
  const { name: _, policy, mode: __, ...content } = rule
  const counted =
    rule.type === 'tool' && rule.limits?.some(({ scope }) => scope === 'Policy')
      ? remit.rules.flatMap((other) =>
          other.type === 'tool' && other.policy === policy && other.effect !== 'Deny' ? [canonical(other.match)] : [],
        )
      : []
  return { content, counted: [...new Set(counted)].sort() }
}

function globsOf(rules: RemitRule[], pins: Side['pins']): { servers: string[]; tools: string[]; prompts: string[] } {
  const prompts = new Set<string>()
  const servers = new Set(pins.map(({ server }) => server))
  const tools = new Set(pins.map(({ tool }) => tool))
  const add = (reference: string): void => {
    const slash = reference.indexOf('/')
    servers.add(reference.slice(0, slash))
    tools.add(reference.slice(slash + 1))
  }
  for (const rule of rules) {
    if (!isCallRule(rule)) {
      for (const pattern of rule.match.servers ?? []) servers.add(pattern)
      if (rule.type === 'prompt') for (const pattern of rule.match.prompts ?? []) prompts.add(pattern)
      continue
    }
    for (const match of rule.type === 'taint' ? [rule.match, rule.after] : [rule.match]) {
      for (const pattern of match.servers ?? []) servers.add(pattern)
      for (const pattern of match.tools ?? []) tools.add(pattern)
    }
    if (rule.type === 'tool') for (const { tool } of rule.evidence ?? []) add(tool)
  }
  return { servers: [...servers], tools: [...tools], prompts: [...prompts] }
}

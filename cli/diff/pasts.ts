import type { ToolClass } from '../../lib/api/gen/types.ts'
import type { Past } from '../../lib/api/ledger.ts'
import type { Facts } from '../../lib/api/receipt.ts'
import { assess } from '../../lib/core/decide.ts'
import { factPath, valuesAt } from '../../lib/core/history/facts.ts'
import { newHistory } from '../../lib/core/history/history.ts'
import type { Tracker } from '../../lib/core/history/tracker.ts'
import { type Candidate, callOf, type Judge } from './judge.ts'

/** What happened before the call, in words and as events. */
export interface Before {
  says: string
  events: Past[]
}
const NOTHING_BEFORE: Before = { says: '', events: [] }

const DAY = 86_400_000
const MAX_EVENTS = 5_000

/**
 * Pasts in which limits are just reached, evidence is there, the agent is tainted: one of them tells apart what two
 * policies say of the past, for limits are about one number each. The simplest first.
 */
export function* pasts(judge: Judge, candidate: Candidate): Generator<Before> {
  yield NOTHING_BEFORE
  const trackers = [...judge.old.trackers, ...judge.new.trackers]
  if (trackers.length === 0) return
  const moments = [1, ...new Set(trackers.filter(({ per }) => per > 0).map(({ per }) => per + 1000))].slice(0, 8)
  const evidences = [undefined, ...(trackers.some(({ what }) => what === 'evidence') ? moments : [])]
  const taints = [undefined, ...(trackers.some(({ what }) => what === 'taint') ? moments : [])]
  // Limits count calls of tools, and only those are held to them.
  const fills = [undefined, ...(candidate.target.type === undefined ? fillsOf(judge) : [])]
  for (const fill of fills) {
    for (const age of fill === undefined || fill.concurrent ? [1] : moments) {
      for (const evidence of evidences) {
        for (const taint of taints) {
          const parts = [
            evidence === undefined ? undefined : proof(judge, candidate, evidence),
            taint === undefined ? undefined : tainting(judge, taint),
            fill === undefined ? undefined : filled(judge, candidate, fill, age),
          ].filter((part) => part !== undefined)
          if (parts.length === 0) continue
          const says = parts.map((part) => part.says).join(', and after ')
          const events = parts.flatMap((part) => part.events).sort((a, b) => a.at - b.at)
          yield { says: `after ${says}`, events }
        }
      }
    }
  }
}

const ago = (ms: number): string => (ms <= 1 ? 'just now' : `${spell(ms - 1000)} ago`)
function spell(ms: number): string {
  for (const [unit, size] of [
    ['d', DAY],
    ['h', 3_600_000],
    ['m', 60_000],
  ] as const)
    if (ms % size === 0) return `${ms / size}${unit}`
  return `${ms / 1000}s`
}

interface Fill {
  calls: number
  arg?: string
  sum?: string
  distinct?: number
  concurrent?: boolean
}

/** The ways in which some limit of either side is just reached. */
function fillsOf({ sides }: Judge): Fill[] {
  const limits = [...sides.old.rules, ...sides.new.rules].flatMap(({ rule }) =>
    rule.type === 'tool' ? (rule.limits ?? []) : [],
  )
  const fills = limits.map(({ calls, sum, distinct, concurrent, max = '0' }): Fill => {
    if (sum !== undefined) return { calls: 1, arg: sum, sum: max }
    if (distinct !== undefined) return { calls: Math.floor(Number(max)), arg: distinct, distinct: Number(max) }
    return concurrent === undefined ? { calls: calls ?? 0 } : { calls: concurrent, concurrent: true }
  })
  const known = new Map(fills.map((fill) => [JSON.stringify(fill), fill]))
  return [...known.values()].filter(({ calls }) => calls > 0 && calls <= MAX_EVENTS).slice(0, 24)
}

/** Calls of the target that were made before. */
function filled(judge: Judge, candidate: Candidate, fill: Fill, age: number): Before {
  const { target } = candidate
  const cls = classUnder(judge, candidate)
  const known = recordOf(judge, candidate)
  // A call under way counts however long ago it began, and in no window of time.
  const at = judge.now - (fill.concurrent ? 40 * DAY : age)
  const events = Array.from({ length: fill.calls }, (_, index): Past => {
    const facts: Facts = { ...known }
    if (fill.arg !== undefined) facts[fill.arg] = [fill.sum ?? `earlier-${index}`]
    return {
      kind: 'intent',
      id: `fill-${index}`,
      at,
      server: target.server,
      tool: target.tool,
      effect: 'Allow',
      ...(cls ? { class: cls } : {}),
      facts,
    }
  })
  const what = `${target.server}/${target.tool}`
  if (fill.concurrent) return { says: `${fill.calls} calls of ${what} that are still under way`, events }
  const about =
    fill.sum !== undefined
      ? `a call of ${what} with ${fill.arg} ${fill.sum}`
      : `${fill.calls} ${fill.calls === 1 ? 'call' : 'calls'} of ${what}${fill.arg === undefined ? '' : ` with different ${fill.arg}`}`
  const results = events.map((event): Past => ({ kind: 'result', id: (event as { id: string }).id, at, outcome: 'ok' }))
  return { says: `${about} ${ago(age)}`, events: [...events, ...results] }
}

function classUnder(judge: Judge, candidate: Candidate): ToolClass | undefined {
  return assess(judge.new, callOf(judge.sides.new, candidate), newHistory(judge.new), judge.now).class
}

/** What every limit would know of a call like this one. */
function recordOf(judge: Judge, { arguments: args }: Candidate): Facts {
  const facts: Facts = {}
  for (const { paths, what } of [...judge.old.trackers, ...judge.new.trackers]) {
    if (what !== 'window') continue
    for (const path of paths) {
      const found = valuesAt(args, path)
      // Nothing is added up of an earlier call whose own sums are not what this is about.
      if ('values' in found) facts[path.arg] = found.values.map((value) => (typeof value === 'number' ? 0 : value))
    }
  }
  return facts
}

/** Every call that some rule wants as evidence. */
function proof(judge: Judge, candidate: Candidate, age: number): Before | undefined {
  const events: Past[] = []
  const said: string[] = []
  for (const { rule } of [...judge.sides.old.rules, ...judge.sides.new.rules]) {
    for (const { tool, same = {} } of rule.type === 'tool' ? (rule.evidence ?? []) : []) {
      const facts: Facts = {}
      for (const [mine, earlier] of Object.entries(same)) {
        const found = valuesAt(candidate.arguments, factPath(mine))
        if ('values' in found) facts[earlier] = found.values
      }
      const slash = tool.indexOf('/')
      const [server, name] = [tool.slice(0, slash), tool.slice(slash + 1).replaceAll('*', 'x')]
      const id = `evidence-${events.length}`
      const at = judge.now - age
      events.push({ kind: 'intent', id, at, server: server.replaceAll('*', 'x'), tool: name, effect: 'Allow', facts })
      events.push({ kind: 'result', id, at, outcome: 'ok' })
      said.push(tool)
    }
  }
  return said.length === 0
    ? undefined
    : { says: `${[...new Set(said)].join(' and ')} succeeded for the same ${ago(age)}`, events }
}

/** A call or a read that some taint rule is about; where it can be, one that taints by the old rules only. */
function tainting(judge: Judge, age: number): Before | undefined {
  const at = judge.now - age
  const tells = (which: 'old' | 'new', about: (tracker: Tracker) => boolean): boolean =>
    judge[which].trackers.some((tracker) => tracker.what === 'taint' && about(tracker))
  const calls = judge.names.map(({ server, tool }) => {
    const cls = judge.new.ruleClass(server, tool)
    const event: Past = {
      kind: 'intent',
      id: 'taint',
      at,
      server,
      tool,
      effect: 'Allow',
      ...(cls ? { class: cls } : {}),
    }
    return { event, says: `a call of ${server}/${tool}`, about: ({ counts }: Tracker) => counts(server, tool, cls) }
  })
  const reads = [...new Set(judge.names.map(({ server }) => server))].map((server) => {
    const event: Past = { kind: 'read', id: 'taint', at, server, effect: 'Allow' }
    return { event, says: `a resource of ${server} was read`, about: ({ reads }: Tracker) => reads(server) }
  })
  const all = [...calls, ...reads]
  const found =
    all.find(({ about }) => tells('old', about) && !tells('new', about)) ??
    all.find(({ about }) => tells('old', about) || tells('new', about))
  return found === undefined ? undefined : { says: `${found.says} ${ago(age)}`, events: [found.event] }
}

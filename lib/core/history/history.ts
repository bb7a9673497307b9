import type { Past } from '../../api/ledger.ts'
import type { Remit } from '../../api/remit.ts'
import type { PreparedRemit } from '../prepare.ts'
import { type Breaker, breakersOf, type Opened, observe } from './breaker.ts'
import type { Tracker } from './tracker.ts'
import { add, newWindow, remove, type Window } from './window.ts'

/** A freeze; `at` in milliseconds since the epoch, `recorded` when it is known from a receipt. */
export interface Freeze extends Opened {
  at: number
  recorded: boolean
}

/**
 * What an agent did, as far as the rules of its remit look at the past. One for each agent; `remember` and `forget`
 * change it, decisions only read it.
 */
export interface History {
  /** False as long as what happened before is not in it: calls that need it are denied. */
  loaded: boolean
  frozen?: Freeze
  /** By key of their trackers. */
  windows: Map<string, Map<string, Window>>
  evidence: Map<string, Map<string, number>>
  /** When a tracked call was last made. */
  last: Map<string, number>
  /** What is under way, by id. */
  open: Map<string, { past: Begun; trackers: Tracker[] }>
  breakers: Breaker[]
  trackers: Tracker[]
  unfrozenAt: number
}

type Begun = Extract<Past, { kind: 'intent' | 'read' }>

const DAY_MS = 86_400_000
/** More different pieces of evidence than this push out the oldest: less is then allowed, never more. */
const MAX_EVIDENCE = 50_000

/** How far into the past the rules of a remit look, in milliseconds; 0 when they do not. */
export function historyWindow(prepared: PreparedRemit): number {
  const spans = prepared.trackers.map(({ per }) => per)
  const breakers = (prepared.remit.breakers ?? []).length > 0 ? [DAY_MS] : []
  return Math.max(0, ...spans, ...breakers)
}

export const newHistory = (prepared: PreparedRemit): History => ({
  loaded: historyWindow(prepared) === 0,
  windows: new Map(),
  evidence: new Map(),
  last: new Map(),
  open: new Map(),
  breakers: breakersOf(prepared.remit),
  trackers: prepared.trackers,
  unfrozenAt: unfrozenAt(prepared.remit),
})

const unfrozenAt = ({ unfrozen }: Remit): number =>
  unfrozen === undefined ? Number.NEGATIVE_INFINITY : Date.parse(unfrozen.at)

/**
 * The history under another remit of the same agent. Not `complete` when the new one looks at something that was not
 * kept: then it has to be loaded again, and is not `loaded`.
 */
export function continueHistory(prepared: PreparedRemit, before: History): { history: History; complete: boolean } {
  const history = newHistory(prepared)
  const keys = new Set(before.trackers.map(({ key }) => key))
  const complete =
    before.loaded &&
    history.trackers.every(({ key }) => keys.has(key)) &&
    (history.breakers.length === 0 || before.breakers.length > 0)
  for (const { key } of history.trackers) {
    for (const name of ['windows', 'evidence', 'last'] as const) {
      const kept = before[name].get(key)
      if (kept !== undefined) (history[name] as Map<string, unknown>).set(key, kept)
    }
  }
  for (const [id, { past }] of before.open) history.open.set(id, { past, trackers: concerned(history, past) })
  const sameFreedom = history.unfrozenAt === before.unfrozenAt || Number.isNaN(history.unfrozenAt)
  if (sameFreedom)
    for (const breaker of history.breakers) {
      const earlier = before.breakers.find(({ policy, key }) => policy === breaker.policy && key === breaker.key)
      if (earlier !== undefined) Object.assign(breaker, earlier)
    }
  if (before.frozen !== undefined) history.frozen = before.frozen
  history.loaded = complete || historyWindow(prepared) === 0
  return { history, complete: history.loaded }
}

const concerned = ({ trackers }: History, past: Begun): Tracker[] =>
  past.kind === 'read'
    ? trackers.filter(({ reads }) => reads(past.server))
    : trackers.filter((tracker) => tracker.counts(past.server, past.tool, past.class))

/**
 * Takes one thing that happened, in the order it happened. A call that was allowed counts from here on.
 * @returns the breaker that this opened
 */
export function remember(history: History, past: Past): Opened | undefined {
  if (past.kind === 'frozen') {
    history.frozen = { at: past.at, policy: past.policy, detail: past.detail, recorded: true }
    return undefined
  }
  // What came of a call of a model, or of what a server asked for, is in the record too, and nothing to breakers.
  const known = past.kind !== 'result' || history.open.has(past.id)
  if (past.kind === 'result') end(history, past)
  else begin(history, past)
  if (!known || past.at <= history.unfrozenAt) return undefined
  const opened = observe(history.breakers, past)
  if (opened === undefined || isFrozen(history, past.at)) return undefined
  history.frozen = { at: past.at, ...opened, recorded: false }
  return opened
}

/** Whether a freeze holds: it does until one was lifted after it. One lifted in the future lifts nothing. */
export function isFrozen({ frozen, unfrozenAt }: History, now: number): boolean {
  return frozen !== undefined && !(unfrozenAt >= frozen.at && unfrozenAt <= now)
}

/** A call that was decided but could not be recorded, and so was not made. */
export function forget(history: History, id: string): void {
  drop(history, id)
  history.open.delete(id)
}

function begin(history: History, past: Begun): void {
  if (past.effect !== 'Allow') return
  const trackers = concerned(history, past)
  history.open.set(past.id, { past, trackers })
  for (const { key, what, group, arg, per } of trackers) {
    if (what === 'taint') history.last.set(key, Math.max(past.at, history.last.get(key) ?? 0))
    if (what !== 'window' || past.kind === 'read') continue
    const groups = history.windows.get(key) ?? new Map<string, Window>()
    history.windows.set(key, groups)
    const name = group(past.server, past.tool)
    const window = groups.get(name) ?? newWindow(per)
    groups.set(name, window)
    add(window, past.id, past.at, arg === undefined ? [] : past.facts?.[arg])
  }
}

/** A server that asks for input first has done nothing yet; that a task goes on, it has. */
const WITHOUT_EFFECT = new Set<Extract<Past, { kind: 'result' }>['outcome']>(['error', 'input'])

function end(history: History, past: Extract<Past, { kind: 'result' }>): void {
  const call = history.open.get(past.id)
  history.open.delete(past.id)
  if (call === undefined || call.past.kind === 'read') return
  if (WITHOUT_EFFECT.has(past.outcome)) {
    for (const { key, group } of call.trackers) {
      const window = history.windows.get(key)?.get(group(call.past.server, call.past.tool))
      if (window !== undefined) remove(window, past.id)
    }
  }
  if (past.outcome !== 'ok') return
  for (const { key, what, evidenceKey } of call.trackers) {
    const known = what === 'evidence' ? evidenceKey(call.past.facts) : undefined
    if (known === undefined) continue
    const proofs = history.evidence.get(key) ?? new Map<string, number>()
    history.evidence.set(key, proofs)
    proofs.delete(known)
    proofs.set(known, past.at)
    if (proofs.size > MAX_EVIDENCE) proofs.delete(proofs.keys().next().value as string)
  }
}

function drop(history: History, id: string): void {
  for (const groups of history.windows.values()) for (const window of groups.values()) remove(window, id)
}

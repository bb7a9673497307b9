import { type CallRecord, type DecisionRecord, type Effect, type Receipt, receiptName } from '../../lib/api/receipt.ts'
import type { Remit } from '../../lib/api/remit.ts'
import { type Assessment, assess, objectsNeeded, type ToolCall } from '../../lib/core/decide.ts'
import { assessOther } from '../../lib/core/decide-other.ts'
import { remember } from '../../lib/core/history/history.ts'
import { isRead } from '../../lib/core/history/past.ts'
import type { OtherCall } from '../../lib/core/other-call.ts'
import type { Json } from '../../lib/core/strict.ts'
import { type IntentReceipt, isClosing, isIntent } from '../evidence/source.ts'
import { newTrack, type Track } from './session.ts'
import { definitionOf, type Tools } from './tools.ts'
import { type What, whatOf } from './what.ts'

interface Recorded {
  /** Its name. */
  receipt: string
  /** RFC 3339 */
  time: string
  what: What
}
/** A recorded call, what was decided, and what the candidate says. */
export interface Replayed extends Recorded {
  arguments: Json
  was: DecisionRecord
  now: DecisionRecord
}
/** A recorded call that nothing can be said of; without `what`, one that rules do not decide about by themselves. */
export interface Skipped extends Omit<Recorded, 'what'> {
  what?: What
  why: string
}
export interface Replay {
  replayed: Replayed[]
  skipped: Skipped[]
  /** Requests of servers that the candidate lets through and whose answers it would look at; answers are not recorded. */
  withoutAnswer: number
  /** Breakers of the candidate that would have opened. What came after is replayed as if a person had lifted it. */
  opened: { time: string; policy: string; detail: string }[]
}

/** Denials that no rule had a part in: what a candidate says to such a call is no change. */
const NOT_ASKED: Record<string, string> = {
  AgentFrozen: 'made while the agent was frozen',
  AgentSuspended: 'made while the agent was suspended',
  RemitExpired: 'made after the agent expired',
  RemitNotUnderstood: 'made under a remit that the sidecar did not understand',
  HistoryNotLoaded: 'made before the history was loaded',
  UnknownServer: 'of a server that was not declared',
  ToolChanged: 'of a tool that was not as pinned',
  ToolUndeclared: 'of a tool that was not as pinned',
}

/**
 * Decides recorded calls by a candidate remit, in order, each with the past as it really was: what was allowed then
 * counts, with what came of it, whatever the candidate says to it. Each agent (by UID) has a past of its own.
 * @param since milliseconds since the epoch; calls from before are only part of the past
 */
export const replay = (remit: Remit, receipts: Receipt[], since: number, tools?: Tools): Replay => {
  const result: Replay = { replayed: [], skipped: [], withoutAnswer: 0, opened: [] }
  const tracks = new Map<string, Track>()
  const trackOf = (agent: string): Track => {
    const known = tracks.get(agent) ?? newTrack(remit)
    tracks.set(agent, known)
    return known
  }
  for (const { receipt, at } of inOrder(receipts)) {
    const track = trackOf(receipt.envelope.agent)
    const { history } = track
    const time = receipt.envelope.time
    let opened: ReturnType<typeof remember>
    if (isClosing(receipt)) {
      const { body } = receipt
      const outcome = body.kind === 'result' ? body.outcome : 'unknown'
      opened = remember(history, { kind: 'result', id: body.intent, at, outcome })
    } else if (isIntent(receipt) && receipt.body.call.type !== 'model') {
      const { call, decision: was } = receipt.body
      const id = receiptName(receipt.envelope)
      const what = whatOf(call)
      const said = what === undefined ? { why: UNDECIDED[call.type] ?? '' } : answer(track, receipt, what, at, tools)
      if (Date.parse(time) >= since) {
        const recorded = { receipt: id, time }
        if ('why' in said) result.skipped.push({ ...recorded, ...(what === undefined ? {} : { what }), ...said })
        else if (what !== undefined)
          result.replayed.push({ ...recorded, what, arguments: call.arguments as Json, was, now: said.decision })
      }
      opened = rememberCall(history, call, 'why' in said ? undefined : said, { id, at, effect: was.effect })
    }
    if (opened === undefined) continue
    if (Date.parse(time) >= since) result.opened.push({ time, ...opened })
    history.frozen = undefined
  }
  const looksAtAnswers = remit.rules.some((rule) => rule.type === 'request' && rule.answer !== undefined)
  if (looksAtAnswers)
    result.withoutAnswer = result.replayed.filter(
      ({ what, now }) => what.type === 'request' && now.effect === 'Allow',
    ).length
  return result
}

/** What is recorded, and decided by what it belongs to. */
const UNDECIDED: Record<string, string> = {
  completion: 'that complete an argument, which whatever is offered may',
  task: 'of tasks, which go by the call that began them',
}

/** The call with what is known of it, as it was decided then. */
function rememberCall(
  history: Track['history'],
  call: Exclude<CallRecord, { type: 'model' }>,
  said: Assessment | undefined,
  happened: { id: string; at: number; effect: Effect },
): ReturnType<typeof remember> {
  if (isRead(call)) return remember(history, { kind: 'read', server: call.server, ...happened })
  if (call.type !== 'tool') return undefined
  const { server, tool } = call
  const { class: cls, facts } = said === undefined ? call : { class: said.class ?? call.class, facts: said.record }
  return remember(history, { kind: 'intent', server, tool, class: cls, facts, ...happened })
}

/** What the candidate says to a call, or why that cannot be told. */
function answer(
  { prepared, history }: Track,
  { envelope, body }: IntentReceipt,
  what: What,
  at: number,
  tools?: Tools,
): Assessment | { why: string } {
  const { arguments: args } = body.call as Exclude<CallRecord, { type: 'model' }>
  const unasked = NOT_ASKED[body.decision.code ?? '']
  if (unasked !== undefined) return { why: unasked }
  const now = Date.parse(envelope.time)
  if (what.type === 'resource')
    return assessOther(prepared, { ...what, type: what.type, arguments: {} }, history, now, at)
  if (args === undefined) return { why: 'whose arguments were too large to be recorded' }
  if (hasCommitment(args)) return { why: 'whose arguments are redacted' }
  if (what.type !== 'tool')
    return assessOther(prepared, { ...what, arguments: args as Json } as OtherCall, history, now, at)
  const { server, tool } = what
  const call: ToolCall = { server, tool, arguments: args as Json, definition: definitionOf(tools, server, tool) }
  const [object] = objectsNeeded(prepared, call, history, now, at)
  if (object !== undefined) return { why: `that need ${object.tool} read, as it was then` }
  return assess(prepared, call, history, now, at)
}

const COMMITMENT = 'dev.remit/commitment'
function hasCommitment(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.hasOwn(value, COMMITMENT) || Object.values(value).some(hasCommitment)
}

/**
 * Receipts in the order in which things happened, and when (milliseconds since the epoch): by time, but never against
 * the order of one incarnation, whose clock may have been set back.
 */
function inOrder(receipts: Receipt[]): { receipt: Receipt; at: number }[] {
  const incarnations = new Map<string, Receipt[]>()
  for (const receipt of receipts) {
    const { incarnation } = receipt.envelope
    const own = incarnations.get(incarnation)
    if (own === undefined) incarnations.set(incarnation, [receipt])
    else own.push(receipt)
  }
  return [...incarnations.values()]
    .flatMap((own) => {
      let latest = Number.NEGATIVE_INFINITY
      return own
        .sort((a, b) => a.envelope.seq - b.envelope.seq)
        .map((receipt) => {
          latest = Math.max(latest, Date.parse(receipt.envelope.time))
          return { receipt, at: latest }
        })
    })
    .sort((a, b) => a.at - b.at)
}

import { type DecisionRecord, type Receipt, receiptName } from '../../lib/api/receipt.ts'
import type { Remit } from '../../lib/api/remit.ts'
import { assess, objectsNeeded, type ToolCall } from '../../lib/core/decide.ts'
import { remember } from '../../lib/core/history/history.ts'
import type { Json } from '../../lib/core/strict.ts'
import { type IntentReceipt, isClosing, isIntent } from '../evidence/source.ts'
import { newTrack, type Track } from './session.ts'
import { definitionOf, type Tools } from './tools.ts'

interface Recorded {
  /** Its name. */
  receipt: string
  /** RFC 3339 */
  time: string
  server: string
  tool: string
}
/** A recorded call, what was decided, and what the candidate says. */
export interface Replayed extends Recorded {
  arguments: Json
  was: DecisionRecord
  now: DecisionRecord
}
/** A recorded call that nothing can be said of. */
export interface Skipped extends Recorded {
  why: string
}
export interface Replay {
  replayed: Replayed[]
  skipped: Skipped[]
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
  const result: Replay = { replayed: [], skipped: [], opened: [] }
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
    } else if (isIntent(receipt) && receipt.body.call.type === 'tool') {
      const { call, decision: was } = receipt.body
      const { server, tool } = call
      const id = receiptName(receipt.envelope)
      const said = answer(track, receipt, at, tools)
      if (Date.parse(time) >= since) {
        const recorded = { receipt: id, time, server, tool }
        if ('why' in said) result.skipped.push({ ...recorded, ...said })
        else result.replayed.push({ ...recorded, arguments: call.arguments as Json, was, now: said.decision })
      }
      const { class: cls, facts } = 'why' in said ? call : { class: said.class ?? call.class, facts: said.record }
      opened = remember(history, { kind: 'intent', id, at, server, tool, effect: was.effect, class: cls, facts })
    }
    if (opened === undefined) continue
    if (Date.parse(time) >= since) result.opened.push({ time, ...opened })
    history.frozen = undefined
  }
  return result
}

/** What the candidate says to a call, or why that cannot be told. */
function answer({ prepared, history }: Track, { envelope, body }: IntentReceipt, at: number, tools?: Tools) {
  if (body.call.type !== 'tool') throw new Error('only calls of tools are replayed')
  const { server, tool, arguments: args } = body.call
  const unasked = NOT_ASKED[body.decision.code ?? '']
  if (unasked !== undefined) return { why: unasked }
  if (args === undefined) return { why: 'whose arguments were too large to be recorded' }
  if (hasCommitment(args)) return { why: 'whose arguments are redacted' }
  const call: ToolCall = { server, tool, arguments: args as Json, definition: definitionOf(tools, server, tool) }
  const now = Date.parse(envelope.time)
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

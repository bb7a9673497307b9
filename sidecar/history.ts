import type { Past } from '../lib/api/ledger.ts'
import type { DecisionRecord, ResultBody } from '../lib/api/receipt.ts'
import { type Assessment, assess, objectsNeeded, type ToolCall } from '../lib/core/decide.ts'
import { decideOther } from '../lib/core/decide-other.ts'
import type { ErrorCode } from '../lib/core/errors.ts'
import {
  continueHistory,
  type Freeze,
  forget,
  type History,
  historyWindow,
  isFrozen,
  newHistory,
  remember,
} from '../lib/core/history/history.ts'
import type { OtherCall } from '../lib/core/other-call.ts'
import type { ObjectNeed } from '../lib/core/rule/object.ts'
import { refuse } from '../lib/core/standing.ts'
import { pause } from '../lib/service/pause.ts'
import type { Authority, InForce } from './authority.ts'
import { createEscalation, type EscalationOptions } from './escalate.ts'
import { createLiveCalls } from './live-calls.ts'

/**
 * Tells `take` what this agent did since a time (milliseconds since the epoch), oldest first and with everything that
 * was recorded before the call, and its last freeze whenever that was. Rejects when that cannot be known now.
 */
export type LoadPast = (since: number, take: (past: Past) => void, signal: AbortSignal) => Promise<void>

/** A call as it was decided: by which remit, and the name under which the history knows it. */
export interface Decided {
  inForce: InForce
  assessment: Assessment
  id: string
}

/** What the agent did, as far as its remit asks. Decisions read and reserve it in one turn of the event loop. */
export interface CallHistory {
  /** What has to be read before the call can be decided; nothing when it would be denied anyway. */
  objectsNeeded: (call: ToolCall) => ObjectNeed[]
  /** Decides by the remit in force and counts the call from this moment on. Throws while there is no remit. */
  decide: (call: ToolCall) => Decided
  /** Decides about a resource or a prompt, and counts it as read from this moment on. Throws while there is no remit. */
  decideRead: (call: OtherCall & { type: 'resource' | 'prompt' }) => {
    inForce: InForce
    decision: DecisionRecord
    id: string
  }
  /** Decides and counts nothing. Throws while there is no remit. */
  weigh: (call: OtherCall) => { inForce: InForce; decision: DecisionRecord }
  /** The call's intent is on disk under this name. */
  recorded: (id: string, receipt: string) => void
  /** The call's intent could not be recorded, so it is not made. */
  forget: (id: string) => void
  /** What came of the call. */
  ended: (id: string, outcome: ResultBody['outcome']) => void
  /** Nothing more comes of the call; what did is recorded. */
  closed: (id: string) => void
  /** Resolves once a freeze that has come about is recorded; undefined when there is none to record. */
  escalate: () => Promise<void> | undefined
  /** Whether all that the remit asks about the past is known. */
  loaded: () => boolean
  /** The denial of whatever a frozen agent asks for. */
  frozen: () => DecisionRecord | undefined
}

export interface HistoryOptions extends EscalationOptions {
  authority: Pick<Authority, 'current' | 'onChange'>
  load: LoadPast
  now: () => number
  steady: () => number
  signal: AbortSignal
}

/** A call that came too early says nothing about the agent: it opens no breaker. */
const NOT_LOADED: ErrorCode = 'HistoryNotLoaded'
const MIN_BACKOFF_MS = 200
const MAX_BACKOFF_MS = 5_000
/** Clocks of this machine and of those before it differ. */
const SLACK_MS = 60_000

/** One agent's history under one remit after the other. */
export const createCallHistory = (options: HistoryOptions): CallHistory => {
  const { authority, now, steady, signal, log } = options
  let current: { inForce: InForce; history: History } | undefined
  const live = createLiveCalls()
  const record = createEscalation(options)
  let loading = false
  let calls = 0

  /** The younger of two readings of a receipt's time: what a clock that was set makes of it must not age it. */
  const timed = <P extends Past>(past: P): P => {
    if (past.kind === 'frozen') return { ...past, at: Math.min(past.at, now()) }
    const here = steady()
    return { ...past, at: Math.min(here, Math.max(past.at, here - (now() - past.at))) }
  }

  /** The history of the remit in force from what is recorded, and then what is under way. */
  const loadOnce = async (): Promise<void> => {
    for (;;) {
      const { inForce } = current!
      const history = newHistory(inForce.prepared)
      const since = Math.min(now(), steady()) - historyWindow(inForce.prepared) - SLACK_MS
      const take = (past: Past) => {
        if (past.kind === 'frozen' || !live.has(past.id)) remember(history, timed(past))
      }
      await options.load(since, take, signal)
      if (signal.aborted) return
      if (current!.inForce !== inForce) continue
      for (const id of [...history.open.keys()])
        remember(history, { kind: 'result', id, at: steady(), outcome: 'unknown' })
      for (const past of live.events()) remember(history, past)
      history.loaded = true
      const before = current!.history.frozen
      if (before && !history.frozen?.recorded) history.frozen = before
      current = { inForce, history }
      log.info({}, 'what the agent did before is loaded')
      return
    }
  }
  const load = async (): Promise<void> => {
    if (loading) return
    loading = true
    live.hold(true)
    for (let backoff = MIN_BACKOFF_MS; !signal.aborted; backoff = Math.min(MAX_BACKOFF_MS, backoff * 2)) {
      try {
        await loadOnce()
        break
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, 'what the agent did before cannot be loaded yet')
        await pause(backoff * (0.5 + Math.random() / 2), signal)
      }
    }
    loading = false
    live.hold(false)
    await escalate()
  }

  const follow = (inForce: InForce) => {
    const { history } = current
      ? continueHistory(inForce.prepared, current.history)
      : { history: newHistory(inForce.prepared) }
    current = { inForce, history }
    if (!history.loaded)
      load().catch((error: unknown) => log.error({ err: error }, 'the history could not be loaded, a mistake of ours'))
  }

  const keep = (id: string, past: Past) => {
    remember(current!.history, past)
    live.add(id, past)
  }

  const frozen = (): Freeze | undefined =>
    current && isFrozen(current.history, now()) ? current.history.frozen : undefined
  const escalate = () => record(frozen())

  const weigh = (call: OtherCall) => {
    const { inForce, history } = current!
    return { inForce, decision: decideOther(inForce.prepared, call, history, now(), steady()) }
  }

  authority.onChange(follow)
  const first = authority.current()
  if (first) follow(first)

  return {
    objectsNeeded: (call) => objectsNeeded(current!.inForce.prepared, call, current!.history, now(), steady()),
    decide: (call) => {
      const { inForce, history } = current!
      const at = steady()
      const assessment = assess(inForce.prepared, call, history, now(), at)
      const id = `#${++calls}`
      live.begin(id)
      if (assessment.decision.code === NOT_LOADED) return { inForce, assessment, id }
      keep(id, {
        kind: 'intent',
        id,
        at,
        server: call.server,
        tool: call.tool,
        effect: assessment.decision.effect,
        ...(assessment.class === undefined ? {} : { class: assessment.class }),
        ...(assessment.record === undefined ? {} : { facts: assessment.record }),
      })
      return { inForce, assessment, id }
    },
    decideRead: (call) => {
      const ruling = { ...weigh(call), id: `#${++calls}` }
      const { id, decision } = ruling
      live.begin(id)
      if (decision.code !== NOT_LOADED)
        keep(id, { kind: 'read', id, at: steady(), server: call.server, effect: decision.effect })
      return ruling
    },
    weigh,
    recorded: live.named,
    forget: (id) => {
      forget(current!.history, id)
      live.drop(id)
    },
    ended: (id, outcome) => keep(id, { kind: 'result', id, at: steady(), outcome }),
    closed: live.close,
    escalate,
    loaded: () => current?.history.loaded ?? false,
    frozen: () => {
      const freeze = frozen()
      if (!freeze) return undefined
      const { policy, detail, at } = freeze
      const agent = current!.inForce.remit.agent.name
      return {
        ...refuse('AgentFrozen', { at: new Date(at).toISOString(), detail, agent }),
        rule: 'breaker',
        policy,
      }
    },
  }
}

import {
  type CallRecord,
  type IntentBody,
  type OtherCallRecord,
  type Receipt,
  receiptName,
} from '../../lib/api/receipt.ts'
import { factsOfReceipt } from '../../lib/core/history/facts.ts'
import type { Position } from './log.ts'
import type { StoredReceipt } from './record.ts'

/** What the index holds of a receipt: what people select by and read in a table. */
export interface Row {
  n: number
  segment: number
  offset: number
  length: number
  namespace: string
  agent: string
  agent_id: string
  incarnation: string
  seq: number
  hash: string
  name: string
  kind: string
  /** Unix milliseconds of the envelope's time. */
  time: number
  /** `billing/refund`, `docs resource file:///a.md`, `chat.completions`, `remit 3`, `started`, `frozen`. */
  action: string | null
  /** Of an intent: what is called, as the receipt says: tool, model, resource ... */
  type: string | null
  /** Of a call of a tool or of anything else that is a server's. */
  server: string | null
  tool: string | null
  /** Of what is neither a call of a tool nor of a model: MCP's method, and the URI, the prompt's name, the task's id. */
  method: string | null
  target: string | null
  effect: string | null
  /** Of an intent: why it was not simply allowed, by the catalog. */
  code: string | null
  rule: string | null
  policy: string | null
  reason: string | null
  on_call: string | null
  /** Of a result or orphan: the name of its intent. */
  intent: string | null
  /** Of an intent: what came of it. */
  outcome: string | null
  /** Position of the receipt that told the outcome. */
  outcome_n: number | null
  /** Of an intent: the tool's class, and as JSON the values later decisions may ask for. */
  class: string | null
  facts: string | null
}

type Told = Pick<
  Row,
  | 'action'
  | 'type'
  | 'server'
  | 'tool'
  | 'method'
  | 'target'
  | 'effect'
  | 'code'
  | 'rule'
  | 'policy'
  | 'reason'
  | 'on_call'
  | 'intent'
  | 'outcome'
  | 'class'
  | 'facts'
>

const NOTHING: Told = {
  action: null,
  type: null,
  server: null,
  tool: null,
  method: null,
  target: null,
  effect: null,
  code: null,
  rule: null,
  policy: null,
  reason: null,
  on_call: null,
  intent: null,
  outcome: null,
  class: null,
  facts: null,
}
const REFUSED: Record<string, string> = { Deny: 'denied', Ask: 'waiting', Draft: 'drafted' }

const told = ({ body }: Receipt): Told => {
  switch (body.kind) {
    case 'incarnation':
      return { ...NOTHING, action: 'started' }
    case 'remit':
      return { ...NOTHING, action: `remit ${body.generation}` }
    case 'intent': {
      const { call, decision } = body
      return {
        ...NOTHING,
        action: actionOf(call),
        type: call.type,
        server: call.type === 'model' ? null : call.server,
        tool: call.type === 'tool' ? call.tool : null,
        ...(isOther(call) ? { method: call.method, target: call.name } : {}),
        effect: decision.effect,
        code: decision.code ?? null,
        rule: decision.rule ?? null,
        policy: decision.policy ?? null,
        reason: decision.reason,
        on_call: body.owner.onCall.join(', '),
        outcome: REFUSED[decision.effect] ?? null,
        class: (call.type === 'tool' && call.class) || null,
        facts: factsFor(body),
      }
    }
    case 'result':
      return { ...NOTHING, intent: body.intent, outcome: body.outcome }
    case 'orphan':
      return { ...NOTHING, intent: body.intent, outcome: 'unknown' }
    case 'escalation':
      return { ...NOTHING, action: 'frozen', policy: body.policy, reason: body.detail }
    case 'heartbeat':
      return NOTHING
  }
}

const isOther = (call: CallRecord): call is OtherCallRecord => call.type !== 'tool' && call.type !== 'model'

const actionOf = (call: CallRecord): string => {
  if (call.type === 'tool') return `${call.server}/${call.tool}`
  if (call.type === 'model') return `${call.model} ${call.path}`
  return call.type === 'request' ? `${call.server} asks ${call.name}` : `${call.server} ${call.type} ${call.name}`
}

/** Only a call that was made is asked about later. */
const factsFor = ({ call, decision }: IntentBody): string | null => {
  const facts = call.type === 'tool' && decision.effect === 'Allow' ? factsOfReceipt(call) : undefined
  return facts === undefined ? null : JSON.stringify(facts)
}

/** The index's row of a stored receipt: pure, so that an index made again is the same. */
export const toRow = (stored: StoredReceipt, position: Position): Row => {
  const { envelope } = stored.receipt
  return {
    ...position,
    namespace: stored.namespace,
    agent: stored.agent,
    agent_id: envelope.agent,
    incarnation: envelope.incarnation,
    seq: envelope.seq,
    hash: stored.hash,
    name: receiptName(envelope),
    kind: envelope.kind,
    time: Date.parse(envelope.time),
    outcome_n: null,
    ...told(stored.receipt),
  }
}

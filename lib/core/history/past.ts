import type { Past } from '../../api/ledger.ts'
import { type CallRecord, type OtherCallRecord, type Receipt, receiptName } from '../../api/receipt.ts'
import { factsOfReceipt } from './facts.ts'

/** Whether an agent's history is about it: what servers ask for, completions and tasks are not the agent's own steps. */
export const isRead = (call: CallRecord): call is OtherCallRecord & { type: 'resource' | 'prompt' } =>
  call.type === 'resource' || call.type === 'prompt'

/**
 * What of a receipt limits, evidence, taint and breakers need to know; undefined when it is nothing to them. A call that
 * was denied because the past was not loaded yet says nothing about the agent.
 */
export const pastOf = ({ envelope, body }: Receipt): Past | undefined => {
  const at = Date.parse(envelope.time)
  switch (body.kind) {
    case 'intent': {
      const { call, decision } = body
      if (decision.code === 'HistoryNotLoaded') return undefined
      if (isRead(call))
        return { kind: 'read', id: receiptName(envelope), at, server: call.server, effect: decision.effect }
      if (call.type !== 'tool') return undefined
      const facts = decision.effect === 'Allow' ? factsOfReceipt(call) : undefined
      return {
        kind: 'intent',
        id: receiptName(envelope),
        at,
        server: call.server,
        tool: call.tool,
        effect: decision.effect,
        ...(call.class === undefined ? {} : { class: call.class }),
        ...(facts === undefined ? {} : { facts }),
      }
    }
    case 'result':
      return { kind: 'result', id: body.intent, at, outcome: body.outcome }
    case 'orphan':
      return { kind: 'result', id: body.intent, at, outcome: 'unknown' }
    case 'escalation':
      return { kind: 'frozen', at, policy: body.policy, detail: body.detail }
    default:
      return undefined
  }
}

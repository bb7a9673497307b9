import { type Receipt, receiptName } from '../../lib/api/receipt.ts'
import { isClosing, isIntent } from '../evidence/source.ts'
import { callLine, shortOutcome } from './call.ts'
import { table } from './table.ts'
import { instant } from './time.ts'

/** One row a call, oldest first; restarts, new remits and freezes between them, because they explain what follows. */
export const timelineRows = (receipts: Receipt[]): string[][] => {
  const closings = new Map(receipts.filter(isClosing).map((receipt) => [receipt.body.intent, receipt]))
  return receipts.flatMap((receipt) => {
    const { envelope, body } = receipt
    const time = instant(envelope.time).slice(0, 19)
    const name = receiptName(envelope)
    if (isIntent(receipt)) {
      const { call, decision } = receipt.body
      const outcome = shortOutcome(receipt.body, closings.get(name))
      return [[time, decision.effect, outcome, decision.rule ?? '-', name, callLine(call, 60)]]
    }
    if (body.kind === 'escalation')
      return [[time, '-', 'frozen', '-', name, `frozen by ${body.policy}: ${body.detail}`]]
    if (body.kind === 'remit') return [[time, '-', '-', '-', name, `new remit, generation ${body.generation}`]]
    if (body.kind === 'incarnation')
      return [[time, '-', '-', '-', name, `sidecar started${body.podName ? ` in ${body.podName}` : ''}`]]
    return []
  })
}

export const renderTimeline = (receipts: Receipt[]): string =>
  table(['TIME (UTC)', 'EFFECT', 'OUTCOME', 'RULE', 'RECEIPT', 'ACTION'], timelineRows(receipts))

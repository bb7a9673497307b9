import { type EscalationBody, type Receipt, receiptName } from '../../lib/api/receipt.ts'
import { oneLine } from './one-line.ts'
import { recordLine } from './record.ts'
import { instant } from './time.ts'

export type FreezeReceipt = Receipt & { body: EscalationBody }
export const isFreeze = (receipt: Receipt): receipt is FreezeReceipt => receipt.body.kind === 'escalation'

/** What froze an agent, when, and how a person lifts it. `agent` with its flags, as in `billing-bot -n payments`. */
export const renderFreeze = (receipt: FreezeReceipt, agent: string | undefined): string => {
  const { envelope, body } = receipt
  const rows: [string, string | undefined][] = [
    ['Receipt', `${receiptName(envelope)}, ${instant(envelope.time)}`],
    ['What', `the agent was frozen: ${body.detail}`],
    ['Rule', `breaker in ${body.policy}`],
    ['Outcome', 'every call from then on is denied until a person unfreezes the agent'],
    ['Record', `number ${envelope.seq} of ${envelope.incarnation}; ${recordLine(receipt)}`],
    ['See why', agent && `kubectl remit timeline ${agent}`],
    ['Lift it', agent && `kubectl remit unfreeze ${agent}`],
  ]
  return rows
    .filter((row): row is [string, string] => row[1] !== undefined)
    .map(([label, value]) => `${label.padEnd(9)} ${oneLine(value)}`)
    .join('\n')
}

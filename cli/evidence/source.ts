import type { IntentBody, OrphanBody, Receipt, ResultBody } from '../../lib/api/receipt.ts'

export interface ReceiptQuery {
  agent?: string
  /** RFC 3339 */
  since?: string
}
/** Where receipts are read from: the cluster's ledger, or the directory of `remit gate`. Oldest first. */
export interface ReceiptSource {
  list(query: ReceiptQuery): Promise<Receipt[]>
  /** The receipt of that name, and what came of it when it is an intent. @throws UserError NotFound */
  get(name: string): Promise<{ receipt: Receipt; result?: Receipt }>
  /** How a person asks for the timeline of the same place. */
  timelineCommand(agent: string, namespace: string): string
}

export type IntentReceipt = Receipt & { body: IntentBody }
export type ClosingReceipt = Receipt & { body: ResultBody | OrphanBody }
export const isIntent = (receipt: Receipt): receipt is IntentReceipt => receipt.body.kind === 'intent'
export const isClosing = (receipt: Receipt): receipt is ClosingReceipt =>
  receipt.body.kind === 'result' || receipt.body.kind === 'orphan'

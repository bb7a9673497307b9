import type { Receipt } from '../../lib/api/receipt.ts'

/** What the log keeps of a receipt: itself, whose it is by the sender's token, and when it came. */
export interface StoredReceipt {
  /** RFC 3339 with milliseconds, by the ledger's clock. */
  at: string
  namespace: string
  agent: string
  /** SHA-256 (hex) of the RFC 8785 form of the envelope: the next one's `prev`. */
  hash: string
  receipt: Receipt
}

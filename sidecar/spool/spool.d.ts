import type { Envelope, IncarnationBody, ReceiptBody } from '../../lib/api/receipt.ts'
import type { Logger } from '../../lib/service/log.ts'
import { type Segment } from './files.ts'
export interface SpoolOptions {
  dir: string
  /** The first receipt's body, but for what the spool knows itself. */
  incarnation: Omit<IncarnationBody, 'kind' | 'publicKey' | 'previous'>
  /** Receipts not yet taken by the ledger; beyond it intents are refused. */
  maxBytes: number
  /** Segments are kept after the ledger has them. */
  keep: boolean
  segmentBytes?: number
  now: () => number
  /** The operator epoch of the remit in force. */
  epoch: () => number
  log: Logger
}
/** The durable, hash-chained record of one container start. */
export interface Spool {
  incarnation: string
  /** Resolves once the receipt is on disk; rejects with UserError(CannotRecord). What is not an intent is kept and tried again. */
  record: (body: ReceiptBody) => Promise<Envelope>
  /** All there is, oldest first, with the bytes that are on disk (Infinity: the whole file). */
  segments: () => {
    segment: Segment
    length: number
  }[]
  onCommit: (listener: () => void) => void
  /** The ledger has this many bytes more; `finished` segments before the newest may go. */
  taken: (bytes: number, finished?: Segment) => void
  /** Sets how much of what was found at the start the ledger does not have. */
  setBacklog: (bytes: number) => void
  backlogBytes: () => number
  check: () => true | string
  close: () => Promise<void>
}
/** Opens a spool directory: repairs what a kill left, begins a new incarnation, says which calls it orphaned. */
export declare const openSpool: (options: SpoolOptions) => Promise<Spool>

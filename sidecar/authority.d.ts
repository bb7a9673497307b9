import type { ReceiptBody } from '../lib/api/receipt.ts'
import type { Remit } from '../lib/api/remit.ts'
import { type PreparedRemit } from '../lib/core/prepare.ts'
import type { Logger } from '../lib/service/log.ts'
/** The remit every call is decided by, until the next one replaces it as a whole. */
export interface InForce {
  remit: Remit
  digest: string
  prepared: PreparedRemit
}
export interface Authority {
  current: () => InForce | undefined
  /** Puts a remit (already verified) in force; false when it is not newer than the one in force. */
  accept: (remit: Remit) => boolean
  onChange: (listener: (inForce: InForce) => void) => void
  epoch: () => number
}
/** Holds the remit in force. `record` is told of each change; a failure to record does not keep an old remit in force. */
export declare const createAuthority: (options: { log: Logger }) => Authority & {
  recordWith: (record: (body: ReceiptBody) => Promise<unknown>) => void
}

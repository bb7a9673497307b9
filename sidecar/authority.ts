import type { ReceiptBody } from '../lib/api/receipt.ts'
import type { Remit } from '../lib/api/remit.ts'
import { remitDigest } from '../lib/core/jws.ts'
import { type PreparedRemit, prepareSigned } from '../lib/core/prepare.ts'
import type { Logger } from '../lib/service/log.ts'

/** The remit every call is decided by, until the next one replaces it as a whole. */
export interface InForce {
  remit: Remit
  digest: string
  prepared: PreparedRemit
}

export interface Authority {
  current: () => InForce | undefined
  /**
   * Puts a remit (already verified) in force; false when it is not newer than the one in force. One that this version
   * cannot enforce to the letter comes into force and denies every call.
   */
  accept: (remit: Remit) => boolean
  onChange: (listener: (inForce: InForce) => void) => void
  epoch: () => number
}

/** Neither goes back: an older remit may be one that has been revoked since. */
const isNewer = (next: Remit, current: Remit) =>
  next.epoch >= current.epoch &&
  (next.generation > current.generation || (next.generation === current.generation && next.epoch > current.epoch))

/** Holds the remit in force. `record` is told of each change; a failure to record does not keep an old remit in force. */
export const createAuthority = (options: {
  log: Logger
}): Authority & {
  recordWith: (record: (body: ReceiptBody) => Promise<unknown>) => void
} => {
  const listeners: ((inForce: InForce) => void)[] = []
  let record: ((body: ReceiptBody) => Promise<unknown>) | undefined
  let current: InForce | undefined

  const note = ({ remit, digest }: InForce) => {
    record?.({ kind: 'remit', digest, generation: remit.generation, epoch: remit.epoch }).catch((error: unknown) => {
      options.log.error({ err: error, digest }, 'the new remit is in force but not recorded yet')
    })
  }
  const accept = (remit: Remit) => {
    if (current && !isNewer(remit, current.remit)) {
      if (remitDigest(remit) !== current.digest)
        options.log.warn(
          { generation: remit.generation, inForce: current.remit.generation },
          'a remit that is not newer than the one in force was left aside',
        )
      return false
    }
    const prepared = prepareSigned(remit)
    if (prepared.unknown) options.log.error({ detail: prepared.unknown }, 'the remit is newer than this sidecar')
    current = { remit, digest: remitDigest(remit), prepared }
    options.log.info(
      { generation: remit.generation, epoch: remit.epoch, digest: current.digest },
      'a new remit is in force',
    )
    note(current)
    for (const listener of listeners) listener(current)
    return true
  }
  return {
    current: () => current,
    accept,
    onChange: (listener) => void listeners.push(listener),
    epoch: () => current?.remit.epoch ?? 0,
    recordWith: (next) => {
      record = next
      if (current) note(current)
    },
  }
}

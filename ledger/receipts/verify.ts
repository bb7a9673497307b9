import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Receipt } from '../../lib/api/receipt.ts'
import { envelopeHash, verifyReceipts } from '../../lib/core/chain.ts'
import { UserError } from '../../lib/core/errors.ts'
import { TURN } from './parse.ts'

/** Where a chain stands: its last sequence number (-1 before the first) and that envelope's hash. */
export interface ChainEnd {
  publicKey: string
  seq: number
  hash: string
}

/**
 * Checks that receipts continue a chain, a few at a time so that nobody else waits. Gives the hash of each envelope.
 * @throws UserError ReceiptInvalid, or ReceiptFork when the first continues another chain than the one recorded
 */
export const verifyChain = async (receipts: Receipt[], end: ChainEnd): Promise<string[]> => {
  const hashes: string[] = []
  let last = end.seq < 0 ? undefined : { seq: end.seq, hash: end.hash }
  if (last && receipts[0]?.envelope.prev !== last.hash) throw new UserError('ReceiptFork')
  for (let i = 0; i < receipts.length; i += TURN) {
    const some = receipts.slice(i, i + TURN)
    const verdict = verifyReceipts(some, end.publicKey, last)
    if (!verdict.ok) {
      const { incarnation, seq } = (some[verdict.at] as Receipt).envelope
      throw new UserError('ReceiptInvalid', { detail: `${incarnation}-${seq}: ${verdict.why}` })
    }
    for (const { envelope } of some) hashes.push(envelopeHash(envelope))
    last = { seq: (some.at(-1) as Receipt).envelope.seq, hash: hashes.at(-1) as string }
    await nextTurn()
  }
  return hashes
}

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Receipt } from '../../lib/api/receipt.ts'
import { UserError } from '../../lib/core/errors.ts'
import { parseStrict } from '../../lib/core/strict.ts'
import { asReceipt, misfitOf } from './shape.ts'

/** Bytes of one line: a body of at most 16 KB, its envelope, and room for escapes. */
const MAX_RECEIPT_BYTES = 24 * 1024
/** Lines handled between two turns of the event loop: other sidecars' streams must not wait for a large batch. */
export const TURN = 32
const LIMITS = { maxBytes: MAX_RECEIPT_BYTES, maxDepth: 48, maxNodes: 10_000 }

const parseLine = (line: Buffer, number: number): Receipt => {
  const parsed = parseStrict(line, LIMITS)
  if (!parsed.ok) {
    if (parsed.code === 'RequestTooLarge')
      throw new UserError('RequestTooLarge', { limit: `${parsed.detail} in line ${number}` })
    throw new UserError('MalformedRequest', { detail: `line ${number} is ${parsed.detail}` })
  }
  const misfit = misfitOf(parsed.value)
  if (misfit) throw new UserError('ReceiptInvalid', { detail: `line ${number}: ${misfit}` })
  return asReceipt(parsed.value)
}

/** Reads newline-delimited receipts; every line must be whole and well-formed, or none is taken. */
export const parseReceipts = async (body: Buffer): Promise<Receipt[]> => {
  const receipts: Receipt[] = []
  for (let offset = 0, number = 1; offset < body.length; number++) {
    const newline = body.indexOf(0x0a, offset)
    const end = newline < 0 ? body.length : newline
    receipts.push(parseLine(body.subarray(offset, end), number))
    offset = end + 1
    if (number % TURN === 0) await nextTurn()
  }
  if (!receipts.length) throw new UserError('MalformedRequest', { detail: 'no receipt' })
  return receipts
}

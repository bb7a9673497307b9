import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Past } from '../../lib/api/ledger.ts'
import type { Receipt } from '../../lib/api/receipt.ts'
import { pastOf } from '../../lib/core/history/past.ts'
import type { Segment } from '../spool/files.ts'

const ESCALATION = Buffer.from('"kind":"escalation"')

const bytesOf = ({ path }: Segment, length: number): Buffer => {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(Math.min(length, fstatSync(fd).size))
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(fd)
  }
}

const receiptsIn = (bytes: Buffer): Receipt[] =>
  bytes
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Receipt)

/**
 * Tells what the receipts of a directory say of the time since then, and the last freeze before it.
 * @param segments oldest first, with the bytes that are on disk
 * @param since milliseconds since the epoch
 */
export const readPast = (
  segments: { segment: Segment; length: number }[],
  since: number,
  take: (past: Past) => void,
): void => {
  const recent: Past[][] = []
  let freeze: Past | undefined
  let old = false
  for (const { segment, length } of segments.toReversed()) {
    const bytes = bytesOf(segment, length)
    // Once all of a file is too old, only a freeze is looked for in those before it.
    if (old && !bytes.includes(ESCALATION)) continue
    const receipts = receiptsIn(bytes)
    const pasts = receipts.flatMap((receipt) => pastOf(receipt) ?? [])
    recent.push(pasts.filter(({ at }) => at > since))
    freeze = pasts.findLast(({ kind, at }) => kind === 'frozen' && at <= since)
    if (freeze) break
    old = receipts.length > 0 && receipts.every(({ envelope }) => Date.parse(envelope.time) <= since)
  }
  if (freeze) take(freeze)
  for (const past of recent.reverse().flat()) take(past)
}

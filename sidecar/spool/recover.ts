import { readFileSync, truncateSync } from 'node:fs'
import type { Envelope, IncarnationBody, Receipt } from '../../lib/api/receipt.ts'
import { receiptName } from '../../lib/api/receipt.ts'
import { envelopeHash } from '../../lib/core/chain.ts'
import { listSegments, type Segment } from './files.ts'

/** What an earlier run left in a spool directory. */
export interface Recovered {
  segments: Segment[]
  nextIndex: number
  /** The incarnation before, for the next one's first receipt. */
  previous?: NonNullable<IncarnationBody['previous']>
  /** Names of intents whose result was never recorded. */
  open: string[]
  /** Bytes of a half-written last line that were cut off. */
  torn: number
}

/** The evidence on disk is damaged in a way a crash does not explain; a person has to look. */
export class DamagedSpool extends Error {
  override name = 'DamagedSpool'
}

const parseLine = (line: string): Receipt | undefined => {
  try {
    const receipt = JSON.parse(line) as Receipt
    return typeof receipt.envelope?.seq === 'number' && typeof receipt.body?.kind === 'string' ? receipt : undefined
  } catch {
    return undefined
  }
}

/** Receipts of one segment, in order; a torn last line is left out and its length told. */
const readSegment = (segment: Segment, last: boolean): { receipts: Receipt[]; torn: number } => {
  const text = readFileSync(segment.path)
  const receipts: Receipt[] = []
  let at = 0
  while (at < text.length) {
    const end = text.indexOf(10, at)
    const receipt = end < 0 ? undefined : parseLine(text.toString('utf8', at, end))
    if (!receipt) {
      // Group commit writes several lines before one fsync, so a crash may tear any of the last lines, but only of the
      // segment being written, and never before a line that is whole.
      const whole = text
        .toString('utf8', at)
        .split('\n')
        .slice(1, -1)
        .some((line) => parseLine(line))
      if (!last || whole) throw new DamagedSpool(`${segment.path} is damaged at byte ${at}`)
      return { receipts, torn: text.length - at }
    }
    receipts.push(receipt)
    at = end + 1
  }
  return { receipts, torn: 0 }
}

/**
 * Reads what the last incarnation left and cuts off a torn tail. Only the last incarnation can hold open intents: each
 * incarnation's file comes into being together with the orphans of the one before.
 */
export const recover = (dir: string): Recovered => {
  const segments = listSegments(dir)
  const newest = segments.at(-1)
  if (!newest) return { segments, nextIndex: 0, open: [], torn: 0 }
  const open = new Set<string>()
  let last: Envelope | undefined
  let torn = 0
  for (const segment of segments.filter((s) => s.incarnation === newest.incarnation)) {
    const read = readSegment(segment, segment === newest)
    for (const { envelope, body } of read.receipts) {
      last = envelope
      if (body.kind === 'intent' && body.decision.effect === 'Allow') open.add(receiptName(envelope))
      if (body.kind === 'result') open.delete(body.intent)
    }
    if (read.torn) {
      torn = read.torn
      truncateSync(segment.path, readFileSync(segment.path).length - read.torn)
    }
  }
  return {
    segments,
    nextIndex: newest.index + 1,
    ...(last ? { previous: { incarnation: last.incarnation, seq: last.seq, hash: envelopeHash(last) } } : {}),
    open: [...open],
    torn,
  }
}

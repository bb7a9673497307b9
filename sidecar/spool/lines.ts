import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Receipt } from '../../lib/api/receipt.ts'
import type { Segment } from './files.ts'

/** Whole lines of a segment from an offset on: about `max` bytes of them, at least one if there is one before `limit`. */
export const readLines = (segment: Segment, from: number, limit: number, max: number): Buffer => {
  const fd = openSync(segment.path, 'r')
  try {
    const end = Math.min(limit, fstatSync(fd).size)
    let size = Math.min(max, end - from)
    for (;;) {
      const bytes = Buffer.alloc(Math.max(0, size))
      const read = readSync(fd, bytes, 0, bytes.length, from)
      const whole = bytes.lastIndexOf(10, read - 1) + 1
      if (whole > 0 || from + size >= end) return bytes.subarray(0, whole)
      size = Math.min(size * 2, end - from)
    }
  } finally {
    closeSync(fd)
  }
}

/** Sequence number of a receipt's line. */
export const seqOf = (line: string): number => (JSON.parse(line) as Receipt).envelope.seq

/** Bytes of the lines before the first whose seq is at least `seq`. */
export const bytesBefore = (batch: Buffer, seq: number): number => {
  let at = 0
  while (at < batch.length) {
    const end = batch.indexOf(10, at)
    if (seqOf(batch.toString('utf8', at, end)) >= seq) return at
    at = end + 1
  }
  return at
}

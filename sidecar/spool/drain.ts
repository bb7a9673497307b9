import { closeSync, fstatSync, openSync } from 'node:fs'
import { basename } from 'node:path'
import type { Logger } from '../../lib/service/log.ts'
import { pause } from '../../lib/service/pause.ts'
import { type Cursor, saveCursor, savedCursor } from './cursor.ts'
import type { Segment } from './files.ts'
import { bytesBefore, readLines, seqOf } from './lines.ts'
import type { Spool } from './spool.ts'

/** What the ledger says to a batch. `gap`: it has the receipts before `expectedSeq` and no other. */
export type PostAnswer = { kind: 'ack'; incarnation: string; seq: number } | { kind: 'gap'; expectedSeq: number }

export interface DrainOptions {
  spool: Spool
  dir: string
  /** NDJSON of one incarnation, in order. Rejects when the ledger could not take it now. */
  post: (batch: Buffer, signal: AbortSignal) => Promise<PostAnswer>
  log: Logger
  signal: AbortSignal
  batchBytes?: number
}

export interface Drain {
  /** Resolves when the signal aborts. */
  done: Promise<void>
  /**
   * Resolves once the ledger has this receipt of the spool's own incarnation, and so all before it; also when the given
   * signal aborts.
   */
  reached: (seq: number, signal: AbortSignal) => Promise<void>
}

/** Gathers what a busy moment records into one request. */
const SETTLE_MS = 25
const MIN_BACKOFF_MS = 200
const MAX_BACKOFF_MS = 5_000

/**
 * Sends the spool to the ledger in order, for ever: from where the last run stopped, again after every failure with
 * growing pauses, and never past a receipt the ledger has not acknowledged.
 */
export const startDrain = (options: DrainOptions): Drain => {
  const { spool, dir, log, signal, batchBytes = 1024 * 1024 } = options
  let wake: (() => void) | undefined
  spool.onCommit(() => wake?.())

  let cursor = savedCursor(dir)
  const position = () => {
    const all = spool.segments()
    const at = all.findIndex(({ segment }) => basename(segment.path) >= cursor.segment)
    const here = all[at]!
    if (basename(here.segment.path) !== cursor.segment) cursor = { segment: basename(here.segment.path), offset: 0 }
    return { ...here, next: all[at + 1]?.segment }
  }
  const move = (to: Cursor) => {
    cursor = to
    saveCursor(dir, to)
  }
  const rewind = (segment: Segment, seq: number) => {
    for (const candidate of spool.segments().filter((s) => s.segment.incarnation === segment.incarnation)) {
      const bytes = readLines(candidate.segment, 0, candidate.length, Number.MAX_SAFE_INTEGER)
      const offset = bytesBefore(bytes, seq)
      if (offset === bytes.length) continue
      if (seqOf(bytes.toString('utf8', offset, bytes.indexOf(10, offset))) !== seq) break
      move({ segment: basename(candidate.segment.path), offset })
      return
    }
    throw new Error(`the ledger asks for receipt ${seq} of ${segment.incarnation}, which is not here any more`)
  }

  const backlog = () => {
    position()
    return spool
      .segments()
      .filter(({ segment }) => basename(segment.path) >= cursor.segment)
      .reduce((sum, { segment, length }) => {
        const fd = openSync(segment.path, 'r')
        const size = Math.min(length, fstatSync(fd).size)
        closeSync(fd)
        return sum + size - (basename(segment.path) === cursor.segment ? cursor.offset : 0)
      }, 0)
  }
  spool.setBacklog(backlog())

  let acknowledged = -1
  const waiting = new Set<() => void>()
  const note = ({ incarnation }: Segment, answer: PostAnswer) => {
    if (incarnation !== spool.incarnation) return
    acknowledged = Math.max(acknowledged, answer.kind === 'ack' ? answer.seq : answer.expectedSeq - 1)
    for (const look of waiting) look()
  }
  const reached = (seq: number, given: AbortSignal) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (acknowledged < seq && !given.aborted) return
        waiting.delete(look)
        given.removeEventListener('abort', look)
        resolve()
      }
      waiting.add(look)
      given.addEventListener('abort', look)
      look()
    })

  /** Sends what there is; false when there is nothing to send. */
  const step = async (): Promise<boolean> => {
    const { segment, length, next } = position()
    const batch = readLines(segment, cursor.offset, length, batchBytes)
    if (!batch.length) {
      if (!next) return false
      move({ segment: basename(next.path), offset: 0 })
      spool.taken(0, segment)
      return true
    }
    const answer = await options.post(batch, signal)
    if (answer.kind === 'ack' && answer.incarnation !== segment.incarnation)
      throw new Error('the ledger acknowledged receipts of another container start')
    note(segment, answer)
    const taken = bytesBefore(batch, answer.kind === 'ack' ? answer.seq + 1 : answer.expectedSeq)
    if (!taken) {
      if (answer.kind === 'ack') throw new Error('the ledger acknowledged nothing of the batch')
      rewind(segment, answer.expectedSeq)
      spool.setBacklog(backlog())
      throw new Error(`the ledger wants receipts again from ${answer.expectedSeq}`)
    }
    move({ segment: cursor.segment, offset: cursor.offset + taken })
    spool.taken(taken)
    return true
  }

  const run = async () => {
    let backoff = MIN_BACKOFF_MS
    let failing = false
    while (!signal.aborted) {
      try {
        if (await step()) {
          if (failing) log.info({}, 'the ledger takes receipts again')
          failing = false
          backoff = MIN_BACKOFF_MS
        } else {
          await new Promise<void>((resolve) => {
            const done = () => {
              signal.removeEventListener('abort', done)
              wake = undefined
              resolve()
            }
            wake = done
            signal.addEventListener('abort', done)
            // A commit may have come in since the look; the listener was not set yet then.
            const { segment, length } = position()
            if (readLines(segment, cursor.offset, length, 1).length || signal.aborted) done()
          })
          await pause(SETTLE_MS, signal)
        }
      } catch (error) {
        if (signal.aborted) return
        if (!failing) log.warn({ err: error, backlogBytes: spool.backlogBytes() }, 'the ledger does not take receipts')
        failing = true
        await pause(backoff * (0.5 + Math.random() / 2), signal)
        backoff = Math.min(MAX_BACKOFF_MS, backoff * 2)
      }
    }
  }
  return { done: run(), reached }
}

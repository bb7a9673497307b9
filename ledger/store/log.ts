import { type FileHandle, open } from 'node:fs/promises'
import { decodeFrame, encodeFrame } from './frame.ts'
import { DamagedSegment, type Found, listSegments, readSegment, type Segment, segmentPath } from './segments.ts'

/** Where a record lies. */
export interface Position {
  n: number
  segment: number
  offset: number
  length: number
}
/** The disk took nothing; nothing of the append stayed. */
export class LogFull extends Error {
  override name = 'LogFull'
}
export interface ReceiptLog {
  /** Appends all or nothing; resolves once everything is on disk. */
  append(texts: string[]): Promise<Position[]>
  read(position: Omit<Position, 'n'>): Promise<string>
  /** Records from position `n` on. */
  scan(n: number): AsyncGenerator<Found>
  /** Position of the last durable record, 0 when there is none. */
  head(): number
  /** Why nothing can be written any more, until the process is started again. */
  broken(): string | undefined
  close(): Promise<void>
}
export interface LogOptions {
  dir: string
  /** What an earlier process is known to have made durable: damage up to there is never cut off. */
  durable?: number
  segmentBytes?: number
  openFile?: (path: string, flags: string) => Promise<FileHandle>
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const MAX_COMMIT_BYTES = 8 * 1024 * 1024
const MAX_READERS = 32

/**
 * An append-only log in segment files with group commit: everything that waits is written together and one fdatasync
 * covers it. Opening it cuts off what a killed process left half written, and refuses damage anywhere else.
 */
export const openLog = async (options: LogOptions): Promise<ReceiptLog> => {
  const { dir, durable = 0, segmentBytes = 16 * 1024 * 1024, openFile = open } = options
  const segments = await listSegments(dir)
  const readers = new Map<number, FileHandle>()
  let active: FileHandle | undefined
  let size = 0
  let head = 0
  let broken: string | undefined
  const queue: { texts: string[]; resolve: (p: Position[]) => void; reject: (e: Error) => void }[] = []
  let flushing = false
  let idle: Promise<void> = Promise.resolve()

  const syncDir = async () => {
    const handle = await open(dir, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
  const startSegment = async () => {
    const next: Segment = { path: segmentPath(dir, head + 1), first: head + 1 }
    const handle = await openFile(next.path, 'a+')
    try {
      await handle.truncate(0)
      await syncDir()
    } catch (error) {
      await handle.close()
      throw error
    }
    await active?.close()
    active = handle
    size = 0
    if (segments.at(-1)?.first !== next.first) segments.push(next)
  }
  const recover = async () => {
    const last = segments.at(-1)
    if (!last) return
    const found = await readSegment(last)
    head = found.last
    if (head < durable || (found.tailHolds && !durable)) {
      throw new DamagedSegment(`${last.path} is damaged at byte ${found.sound}, behind record ${head}`)
    }
    active = await openFile(last.path, 'a+')
    if (found.sound < found.bytes) {
      await active.truncate(found.sound)
      await active.datasync()
    }
    size = found.sound
  }

  const commit = async (batch: typeof queue) => {
    const positions: Position[][] = []
    const lines: string[] = []
    let n = head
    try {
      if (!active || size >= segmentBytes) await startSegment()
    } catch (error) {
      throw FULL.has((error as NodeJS.ErrnoException).code ?? '')
        ? new LogFull('no space for a new segment', { cause: error })
        : error
    }
    const file = active as FileHandle
    const segment = (segments.at(-1) as Segment).first
    let offset = size
    for (const { texts } of batch) {
      positions.push(
        texts.map((text) => {
          const line = encodeFrame(++n, text)
          const position = { n, segment, offset, length: Buffer.byteLength(line) }
          lines.push(line)
          offset += position.length
          return position
        }),
      )
    }
    try {
      await file.appendFile(lines.join(''))
      await file.datasync()
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? ''
      try {
        await file.truncate(size)
      } catch (again) {
        broken = `what was half written could not be taken back (${(again as NodeJS.ErrnoException).code})`
      }
      // After another failure the kernel may have dropped pages it reported as written: only reading again tells.
      if (!FULL.has(code)) broken ??= `writing failed (${code})`
      throw FULL.has(code) && !broken ? new LogFull('no space', { cause: error }) : error
    }
    size = offset
    head = n
    return positions
  }

  const take = () => {
    let bytes = 0
    let count = 0
    while (count < queue.length && (count === 0 || bytes < MAX_COMMIT_BYTES)) {
      for (const text of queue[count]?.texts ?? []) bytes += text.length
      count++
    }
    return queue.splice(0, count)
  }
  const flush = async () => {
    flushing = true
    while (queue.length) {
      const batch = take()
      try {
        if (broken) throw new Error(broken)
        const positions = await commit(batch)
        batch.forEach((entry, i) => {
          entry.resolve(positions[i] as Position[])
        })
      } catch (error) {
        for (const entry of batch) entry.reject(error as Error)
      }
    }
    flushing = false
  }
  const reader = async (segment: number) => {
    const known = readers.get(segment)
    if (known) return known
    const handle = await open(segmentPath(dir, segment), 'r')
    const raced = readers.get(segment)
    if (raced) void handle.close()
    else readers.set(segment, handle)
    for (const [old, spare] of readers) {
      if (readers.size <= MAX_READERS) break
      readers.delete(old)
      void spare.close()
    }
    return raced ?? handle
  }

  await recover()
  return {
    append: (texts) =>
      new Promise((resolve, reject) => {
        queue.push({ texts, resolve, reject })
        if (!flushing) idle = flush()
      }),
    read: async ({ segment, offset, length }) => {
      const handle = await reader(segment)
      const bytes = Buffer.allocUnsafe(length)
      const { bytesRead } = await handle.read(bytes, 0, length, offset)
      const frame = decodeFrame(bytes.subarray(0, bytesRead), 0)
      if (!frame) throw new DamagedSegment(`${segmentPath(dir, segment)} is damaged at byte ${offset}`)
      return frame.text
    },
    async *scan(from) {
      const until = head
      for (const [i, segment] of segments.entries()) {
        const next = segments[i + 1]
        if (next && next.first <= from) continue
        const found = await readSegment(segment)
        if (next && found.last !== next.first - 1) {
          throw new DamagedSegment(`${segment.path} is damaged at byte ${found.sound}, behind record ${found.last}`)
        }
        for (const frame of found.frames()) if (frame.n >= from && frame.n <= until) yield frame
      }
    },
    head: () => head,
    broken: () => broken,
    close: async () => {
      await idle
      await active?.close()
      for (const handle of readers.values()) await handle.close()
      readers.clear()
    },
  }
}

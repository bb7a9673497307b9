import {
  closeSync,
  existsSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../../lib/service/files.ts'

/** One file of receipts, one NDJSON line each, all of one incarnation. */
export interface Segment {
  index: number
  incarnation: string
  path: string
}

const NAME = /^(\d{10})-([0-9a-f]{12})\.ndjson$/

export const segmentName = (index: number, incarnation: string): string =>
  `${String(index).padStart(10, '0')}-${incarnation}.ndjson`

/** Segments of a spool directory, oldest first. */
export const listSegments = (dir: string): Segment[] =>
  readdirSync(dir)
    .flatMap((name) => {
      const match = NAME.exec(name)
      return match ? [{ index: Number(match[1]), incarnation: match[2]!, path: join(dir, name) }] : []
    })
    .sort((a, b) => a.index - b.index)

/** A segment open for appending: everything up to `length` is known to be on disk. */
export interface Appender {
  segment: Segment
  length: () => number
  /** Resolves when the bytes are on disk; when it rejects nothing of them counts. */
  append: (bytes: Buffer) => Promise<void>
  /** Throws away what a failed append may have left; throws while it cannot. */
  repair: () => void
  close: () => void
}

/** `first` is in the file from its first moment on: the file appears with it or not at all. */
export const createSegment = (dir: string, index: number, incarnation: string, first?: Buffer): Appender => {
  const path = join(dir, segmentName(index, incarnation))
  if (existsSync(path)) throw new Error(`${path} exists already`)
  replaceFile(path, first ?? '')
  const fd = openSync(path, 'a')
  let length = fstatSync(fd).size
  return {
    segment: { index, incarnation, path },
    length: () => length,
    append: async (bytes) => {
      let written = 0
      while (written < bytes.length) written += writeSync(fd, bytes, written)
      await new Promise<void>((resolve, reject) => fdatasync(fd, (error) => (error ? reject(error) : resolve())))
      length += bytes.length
    },
    repair: () => {
      ftruncateSync(fd, length)
      fsyncSync(fd)
    },
    close: () => closeSync(fd),
  }
}

export const removeSegment = (segment: Segment): void => rmSync(segment.path, { force: true })

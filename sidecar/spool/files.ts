import {
  closeSync,
  existsSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

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

const syncDirectory = (dir: string) => {
  const fd = openSync(dir, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Replaces a file so that a reader, also one after a crash, sees the old content or the new one and nothing between. */
export const replaceFile = (dir: string, name: string, content: Buffer | string): void => {
  const temporary = join(dir, `.${name}.new`)
  const fd = openSync(temporary, 'w', 0o600)
  try {
    writeFileSync(fd, content)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, join(dir, name))
  syncDirectory(dir)
}

/** Content of a file of the directory, or undefined when there is none. */
export const readIfThere = (dir: string, name: string): string | undefined => {
  const path = join(dir, name)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

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
  const name = segmentName(index, incarnation)
  const path = join(dir, name)
  if (existsSync(path)) throw new Error(`${path} exists already`)
  replaceFile(dir, name, first ?? '')
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

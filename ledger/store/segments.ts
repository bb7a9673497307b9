import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeFrame, type Frame } from './frame.ts'

export interface Segment {
  path: string
  /** Position of its first line. */
  first: number
}

/** A record that was durable is damaged: the disk or somebody changed it. Never mended by itself. */
export class DamagedSegment extends Error {
  override name = 'DamagedSegment'
}

const NAME = /^receipts-(\d{15})\.log$/
export const segmentPath = (dir: string, first: number) => join(dir, `receipts-${String(first).padStart(15, '0')}.log`)

/** The segments of a folder, oldest first. */
export const listSegments = async (dir: string): Promise<Segment[]> =>
  (await readdir(dir))
    .flatMap((name) => {
      const first = NAME.exec(name)?.[1]
      return first ? [{ path: join(dir, name), first: Number(first) }] : []
    })
    .sort((a, b) => a.first - b.first)

export interface Found extends Frame {
  segment: number
  offset: number
}

/** Every whole line of a segment in order, and the length up to which it is sound. */
export const readSegment = async (
  segment: Segment,
): Promise<{ frames: () => Generator<Found>; sound: number; bytes: number; last: number; tailHolds: boolean }> => {
  const bytes = await readFile(segment.path)
  let sound = 0
  let expected = segment.first
  for (let frame = decodeFrame(bytes, 0); frame?.n === expected; frame = decodeFrame(bytes, sound)) {
    sound += frame.length
    expected++
  }
  return {
    *frames() {
      for (let offset = 0; offset < sound; ) {
        const frame = decodeFrame(bytes, offset) as Frame
        yield { ...frame, segment: segment.first, offset }
        offset += frame.length
      }
    },
    sound,
    bytes: bytes.length,
    last: expected - 1,
    tailHolds: tailHoldsFrames(bytes, sound),
  }
}

/** Whether behind the first bad line there are good ones: not what a torn write leaves. */
const tailHoldsFrames = (bytes: Buffer, from: number): boolean => {
  for (let at = bytes.indexOf(0x0a, from); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
    if (decodeFrame(bytes, at + 1)) return true
  }
  return false
}

/** One file of receipts, one NDJSON line each, all of one incarnation. */
export interface Segment {
  index: number
  incarnation: string
  path: string
}
export declare const segmentName: (index: number, incarnation: string) => string
/** Segments of a spool directory, oldest first. */
export declare const listSegments: (dir: string) => Segment[]
/** Replaces a file so that a reader, also one after a crash, sees the old content or the new one and nothing between. */
export declare const replaceFile: (dir: string, name: string, content: Buffer | string) => void
/** Content of a file of the directory, or undefined when there is none. */
export declare const readIfThere: (dir: string, name: string) => string | undefined
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
export declare const createSegment: (dir: string, index: number, incarnation: string, first?: Buffer) => Appender
export declare const removeSegment: (segment: Segment) => void

/** A line that was too long, by what is left of it. */
export interface LongLine {
  bytes: number
  head: string
  tail: string
}

const ENDS = 4096

/**
 * Cuts bytes into lines of at most `maxBytes`. A longer line is not kept: of it `onLong` is told once it ended, so that
 * whoever waits for it need not wait for ever.
 */
export const createLines = (options: {
  maxBytes: number
  onLine: (line: string) => void
  onLong: (line: LongLine) => void
}) => {
  let chunks: Buffer[] = []
  let size = 0
  let tail = Buffer.alloc(0)

  const keep = (part: Buffer) => {
    const before = size
    size += part.length
    if (size <= options.maxBytes) {
      chunks.push(part)
      return
    }
    if (before <= options.maxBytes) chunks = [Buffer.from(Buffer.concat([...chunks, part]).subarray(0, ENDS))]
    const joined = Buffer.concat([tail, part.subarray(-ENDS)])
    tail = Buffer.from(joined.subarray(-ENDS))
  }
  const end = () => {
    if (size > options.maxBytes)
      options.onLong({ bytes: size, head: chunks[0]!.toString('utf8'), tail: tail.toString('utf8') })
    else if (size > 0) {
      const line = (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString('utf8')
      options.onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
    }
    chunks = []
    size = 0
    tail = Buffer.alloc(0)
  }
  return {
    feed: (chunk: Buffer) => {
      let from = 0
      for (;;) {
        const at = chunk.indexOf(0x0a, from)
        if (at === -1) break
        keep(chunk.subarray(from, at))
        end()
        from = at + 1
      }
      if (from < chunk.length) keep(chunk.subarray(from))
    },
  }
}

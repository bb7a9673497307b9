import type { Logger } from '../../lib/service/log.ts'
import { createLines } from './lines.ts'

const MAX_LINE = 2_000
const ESC = String.fromCharCode(27)
const BEL = String.fromCharCode(7)
/** Terminal sequences (CSI, OSC, two-letter ones), then what is left of control characters. */
const ANSI = new RegExp(`${ESC}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)?|[ -/]*[0-~])`, 'g')
const CONTROL = /\p{Cc}|\p{Cf}|[\u2028\u2029]/gu

/** A line of a program as one that a terminal or a log viewer cannot be played with by. */
export const plainLine = (line: string): string => {
  const plain = line.replace(ANSI, '').replace(CONTROL, ' ').trimEnd()
  return plain.length > MAX_LINE ? `${plain.slice(0, MAX_LINE)}... (${plain.length} characters)` : plain
}

/**
 * Passes a server's standard error on to the log, line by line, at most `perSecond` of them; of the rest it says how
 * many there were.
 */
export const createStderr = (options: { log: Logger; perSecond: number; now: () => number }) => {
  let second = 0
  let passed = 0
  let left = 0
  const report = () => {
    if (left > 0) options.log.warn({ lines: left }, 'lines of standard error were left out: the server writes too many')
    left = 0
  }
  const take = (text: string) => {
    const current = Math.floor(options.now() / 1000)
    if (current !== second) {
      report()
      second = current
      passed = 0
    }
    if (passed >= options.perSecond) {
      left++
      return
    }
    const line = plainLine(text)
    if (!line) return
    passed++
    options.log.info({ line }, 'the server wrote to standard error')
  }
  const lines = createLines({ maxBytes: 64 * 1024, onLine: take, onLong: ({ head }) => take(head) })
  return { feed: lines.feed, end: report }
}

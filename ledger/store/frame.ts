import { crc32 } from 'node:zlib'

export interface Frame {
  /** Position in the ledger's one order, from 1. */
  n: number
  text: string
  /** Bytes of the whole line with its newline. */
  length: number
}

const checksum = (text: string) => crc32(text).toString(16).padStart(8, '0')

/** One line of a segment: CRC-32, position, JSON. A line whose checksum does not fit was torn or changed. */
export const encodeFrame = (n: number, text: string): string => {
  const rest = `${n} ${text}`
  return `${checksum(rest)} ${rest}\n`
}

/** The frame that begins at `offset`, or null when what is there is not a whole, unchanged line. */
export const decodeFrame = (bytes: Buffer, offset: number): Frame | null => {
  const end = bytes.indexOf(0x0a, offset)
  if (end < 0) return null
  const match = /^([0-9a-f]{8}) ((\d+) (.*))$/s.exec(bytes.toString('utf8', offset, end))
  if (!match || checksum(match[2] as string) !== match[1]) return null
  return { n: Number(match[3]), text: match[4] as string, length: end + 1 - offset }
}

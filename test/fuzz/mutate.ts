import type { Random } from './random.ts'

const BYTES = [
  0x00, 0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a, 0x0a, 0x20, 0x30, 0x39, 0x2d, 0x80, 0xc0, 0xed, 0xff,
]
const PIECES = [
  '""',
  '{}',
  '[]',
  ',',
  '"amount":0,',
  '"name":"get_invoice",',
  '\ufeff',
  '\\u0000',
  '//',
  '/**/',
  '\u2028',
]

/** A few bytes flipped, put in, taken out, doubled or cut off. */
export const mutate = (random: Random, body: Buffer): Buffer => {
  let bytes: Buffer = Buffer.from(body)
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(bytes.length + 1)
    const to = Math.min(bytes.length, at + 1 + random.below(12))
    const put = (piece: Uint8Array, from = at, until = at) =>
      Buffer.concat([bytes.subarray(0, from), piece, bytes.subarray(until)])
    bytes = random.weighted<Buffer>([
      [3, () => put(Buffer.of(random.pick(BYTES)), at, Math.min(bytes.length, at + 1))],
      [2, () => put(Buffer.of(random.pick(BYTES)))],
      [2, () => put(Buffer.from(random.pick(PIECES)))],
      [2, () => put(Buffer.alloc(0), at, to)],
      [1, () => put(bytes.subarray(at, to))],
      [1, () => bytes.subarray(0, at)],
    ])
  }
  return bytes
}

/** Bytes put together as they come. */
export interface Bytes {
  size: () => number
  add: (piece: Buffer) => void
  /** All of them; what is added later does not change it. */
  take: () => Buffer
}

/**
 * Pieces are copied into one buffer, because a sender may cut what it sends into single bytes, and each of them, kept by
 * itself, would take a hundred times its size.
 */
export const createBytes = (): Bytes => {
  let held: Buffer = Buffer.alloc(0)
  let size = 0
  return {
    size: () => size,
    add: (piece) => {
      if (size === 0) held = piece
      else {
        if (size + piece.length > held.length) {
          const larger = Buffer.allocUnsafeSlow(Math.max(size + piece.length, 2 * size))
          held.copy(larger, 0, 0, size)
          held = larger
        }
        piece.copy(held, size)
      }
      size += piece.length
    },
    take: () => held.subarray(0, size),
  }
}

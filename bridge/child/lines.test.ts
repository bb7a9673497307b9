import { describe, expect, it } from 'vitest'
import { createLines, type LongLine } from './lines.ts'

const cut = (maxBytes: number, ...chunks: string[]) => {
  const lines: string[] = []
  const long: LongLine[] = []
  const reader = createLines({ maxBytes, onLine: (line) => lines.push(line), onLong: (line) => long.push(line) })
  for (const chunk of chunks) reader.feed(Buffer.from(chunk))
  return { lines, long }
}

describe('createLines', () => {
  it('joins what came in pieces, drops empty lines and carriage returns', () => {
    expect(cut(100, 'a', 'b\nc\r\n', '\n', 'd').lines).toEqual(['ab', 'c'])
  })
  it('keeps a letter whole that two chunks share', () => {
    const lines: string[] = []
    const reader = createLines({ maxBytes: 10, onLine: (line) => lines.push(line), onLong: () => {} })
    const bytes = Buffer.from('é\n')
    reader.feed(bytes.subarray(0, 1))
    reader.feed(bytes.subarray(1))
    expect(lines).toEqual(['é'])
  })
  it('keeps only the ends of a line that is too long, and the line after it whole', () => {
    const { lines, long } = cut(10, 'start', 'x'.repeat(20_000), 'end\nshort\n')
    expect(lines).toEqual(['short'])
    expect(long).toHaveLength(1)
    expect(long[0]!.bytes).toBe(20_008)
    expect(long[0]!.head).toMatch(/^startx+$/)
    expect(long[0]!.tail).toMatch(/x+end$/)
    expect(long[0]!.head.length + long[0]!.tail.length).toBeLessThan(10_000)
  })
})

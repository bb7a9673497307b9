import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { createBytes } from './bytes.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const heldBytes = (): number => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

describe('createBytes', () => {
  it('puts pieces of any size together, in order', () => {
    const bytes = createBytes()
    expect([bytes.size(), bytes.take().toString()]).toEqual([0, ''])
    let whole = ''
    for (const text of ['a', '', 'bc', 'd'.repeat(5_000), 'e', 'f'.repeat(3)]) {
      bytes.add(Buffer.from(text))
      whole += text
      expect([bytes.size(), bytes.take().toString()]).toEqual([whole.length, whole])
    }
  })
  it('leaves alone what it was given and what it gave', () => {
    const bytes = createBytes()
    const first = Buffer.from('abcdef').subarray(0, 3)
    bytes.add(first)
    const taken = bytes.take()
    bytes.add(Buffer.from('xyz'))
    expect([first.toString(), taken.toString(), bytes.take().toString()]).toEqual(['abc', 'abc', 'abcxyz'])
  })
  it('does not take much more than it holds', () => {
    const count = 200_000
    const before = heldBytes()
    const bytes = createBytes()
    for (let i = 0; i < count; i++) bytes.add(Buffer.from('x'))
    expect(heldBytes() - before).toBeLessThan(10 * count)
    expect(bytes.size()).toBe(count)
  })
})

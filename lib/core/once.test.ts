import { expect, test } from 'vitest'
import { oncePerObject } from './once.ts'

test('a frozen object is looked at once, another one each time', () => {
  let looks = 0
  const size = oncePerObject((list: number[]) => {
    looks++
    return list.length
  })
  const frozen = Object.freeze([1, 2]) as number[]
  expect([size(frozen), size(frozen), looks]).toEqual([2, 2, 1])
  const open = [1]
  expect([size(open), open.push(2), size(open), looks]).toEqual([1, 2, 2, 3])
  expect(size(Object.freeze([1, 2]) as number[])).toBe(2)
  expect(looks).toBe(4)
})

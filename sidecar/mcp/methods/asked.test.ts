import { describe, expect, it } from 'vitest'
import { createAsked, MAX_A_MINUTE, MAX_WAITING } from './asked.ts'

describe('createAsked', () => {
  it('bounds how much one server asks at once, and how often', async () => {
    let now = 0
    const asked = createAsked(() => now)
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const waiting = Array.from({ length: MAX_WAITING }, () => asked.waiting('a', () => answered))
    expect([asked.isWaiting('a'), asked.admits('a'), asked.admits('b')]).toEqual([true, false, true])
    answer()
    await Promise.all(waiting)
    expect(asked.isWaiting('a')).toBe(false)

    const admitted = Array.from({ length: 2 * MAX_A_MINUTE }, () => asked.admits('a')).filter(Boolean)
    expect([admitted.length, asked.admits('b')]).toEqual([MAX_A_MINUTE, true])
    now += 59_999
    expect(asked.admits('a')).toBe(false)
    now += 1
    expect(asked.admits('a')).toBe(true)
  })
})

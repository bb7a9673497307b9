import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { gathered } from './gathered.ts'

const followed = (ms: number, mostMs: number) => {
  let name = (_key: string) => {}
  const state = { named: [] as string[], ended: false }
  const source = {
    synced: async () => {},
    start: (add: (key: string) => void) => {
      name = add
      return () => {
        state.ended = true
      }
    },
  }
  const end = gathered(source, { ms, mostMs }).start((key) => state.named.push(key))
  return { state, end, name: (key: string) => name(key) }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('what happens within the time is one, what comes later is another, and after the end there is none', () => {
  const { state, end, name } = followed(1_000, 1_000)
  for (const key of ['a', 'b', 'a', 'a']) name(key)
  vi.advanceTimersByTime(999)
  expect(state.named).toEqual([])
  vi.advanceTimersByTime(1)
  expect(state.named).toEqual(['a', 'b'])
  name('a')
  vi.advanceTimersByTime(1_000)
  expect(state.named).toEqual(['a', 'b', 'a'])
  name('b')
  end()
  vi.advanceTimersByTime(5_000)
  expect(state).toEqual({ named: ['a', 'b', 'a'], ended: true })
})

test('what goes on is named ever more rarely, its end too, and what begins again soon', () => {
  const { state, name } = followed(1_000, 4_000)
  const seconds: number[] = []
  let clock = 0
  const until = (second: number, busy: boolean) => {
    for (; clock < second * 1_000; clock += 100) {
      if (busy) name('a')
      const before = state.named.length
      vi.advanceTimersByTime(100)
      if (state.named.length > before) seconds.push((clock + 100) / 1_000)
    }
  }
  until(13.5, true)
  expect(seconds).toEqual([1, 3, 7, 11])
  until(30, false)
  expect(seconds).toEqual([1, 3, 7, 11, 15])
  until(31.5, true)
  expect(seconds).toEqual([1, 3, 7, 11, 15, 31])
})

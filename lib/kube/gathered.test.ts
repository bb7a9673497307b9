import { expect, test, vi } from 'vitest'
import { gathered } from './gathered.ts'

test('what happens within the time is one, what comes later is another, and after the end there is none', async () => {
  vi.useFakeTimers()
  let name = (_key: string) => {}
  let ended = false
  const source = {
    synced: async () => {},
    start: (add: (key: string) => void) => {
      name = add
      return () => {
        ended = true
      }
    },
  }
  const named: string[] = []
  const end = gathered(source, 1_000).start((key) => named.push(key))
  for (const key of ['a', 'b', 'a', 'a']) name(key)
  vi.advanceTimersByTime(999)
  expect(named).toEqual([])
  vi.advanceTimersByTime(1)
  expect(named).toEqual(['a', 'b'])
  name('a')
  vi.advanceTimersByTime(1_000)
  expect(named).toEqual(['a', 'b', 'a'])
  name('b')
  end()
  vi.advanceTimersByTime(5_000)
  expect(named).toEqual(['a', 'b', 'a'])
  expect(ended).toBe(true)
  vi.useRealTimers()
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Clock } from './clock.ts'
import { createQueue, type Queue } from './queue.ts'

/** A clock whose hands the test turns. */
const manualClock = () => {
  let now = 0
  const timers = new Set<{ due: number; fn: () => void }>()
  const clock: Clock = {
    now: () => now,
    after: (ms, fn) => {
      const timer = { due: now + ms, fn }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  const advance = (ms: number) => {
    const end = now + ms
    const next = () => [...timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0]
    for (let timer = next(); timer; timer = next()) {
      now = timer.due
      timers.delete(timer)
      timer.fn()
    }
    now = end
  }
  return { clock, advance }
}

type Step = { do: 'add' | 'after' | 'limited'; key: string } | { do: 'take' | 'done' } | { do: 'pass'; ms: number }

const key = fc.constantFrom('a', 'b', 'c')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('add' as const, 'after' as const, 'limited' as const), key }),
  fc.record({ do: fc.constantFrom('take' as const, 'done' as const) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 60 }) }),
)

/** Takes without waiting: undefined when nothing is ready. */
const takeNow = async (queue: Queue) => (queue.size > 0 ? await queue.take() : undefined)

test('no key is lost, waits twice, or is worked on twice at a time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { clock, advance } = manualClock()
      const queue = createQueue({ clock, backoff: { baseMs: 5, maxMs: 50 }, random: () => 0 })
      const working: string[] = []
      /** Keys named since they were last handed out. */
      const owed = new Set<string>()
      /** Those of them named for now: once, however often. */
      const now = new Set<string>()
      /** How often each was named for later; each of these is rightly handed out by itself, unless they come together. */
      const later = new Map<string, number>()
      const handed = (taken: string | undefined) => {
        if (taken === undefined) return
        expect(working).not.toContain(taken)
        owed.delete(taken)
        if (!now.delete(taken)) {
          const left = later.get(taken) ?? 0
          expect(left).toBeGreaterThan(0)
          later.set(taken, left - 1)
        }
        working.push(taken)
      }
      for (const each of steps) {
        if (each.do === 'add') queue.add(each.key)
        if (each.do === 'after') queue.addAfter(each.key, 30)
        if (each.do === 'limited') queue.addRateLimited(each.key)
        if ('key' in each) {
          owed.add(each.key)
          if (each.do === 'add') now.add(each.key)
          else later.set(each.key, (later.get(each.key) ?? 0) + 1)
        }
        if (each.do === 'pass') advance(each.ms)
        if (each.do === 'take') handed(await takeNow(queue))
        if (each.do === 'done' && working.length > 0) queue.done(working.shift()!)
        expect(queue.size).toBeLessThanOrEqual(3)
      }
      // All that is owed comes once time has passed and the workers are done.
      for (let round = 0; round < 4; round++) {
        advance(100)
        while (working.length > 0) queue.done(working.shift()!)
        for (let taken = await takeNow(queue); taken !== undefined; taken = await takeNow(queue)) handed(taken)
      }
      expect([...owed]).toEqual([])
      expect(queue.size).toBe(0)
    }),
  )
})

test('a key added while it is worked on comes again after done, once', async () => {
  const queue = createQueue()
  queue.add('a')
  expect(await queue.take()).toBe('a')
  queue.add('a')
  queue.add('a')
  expect(queue.size).toBe(0)
  queue.done('a')
  expect(queue.size).toBe(1)
})

test('of two delays the earlier wins', () => {
  const { clock, advance } = manualClock()
  const queue = createQueue({ clock })
  queue.addAfter('late', 10)
  queue.addAfter('late', 100)
  queue.addAfter('soon', 100)
  queue.addAfter('soon', 20)
  advance(15)
  expect(queue.size).toBe(1)
  advance(10)
  expect(queue.size).toBe(2)
  advance(1_000)
  expect(queue.size).toBe(2)
})

test('the delay of a failing key doubles to its cap, keeps to Retry-After and is forgotten', () => {
  const { clock, advance } = manualClock()
  const queue = createQueue({ clock, backoff: { baseMs: 10, maxMs: 80 } })
  const delayOf = (atLeast?: number) => {
    const before = clock.now()
    queue.addRateLimited('x', atLeast)
    while (queue.size === 0) advance(1)
    void queue.take()
    queue.done('x')
    return clock.now() - before
  }
  expect([1, 2, 3, 4, 5, 6].map(() => delayOf())).toEqual([10, 20, 40, 80, 80, 80])
  expect(delayOf(500)).toBe(500)
  expect(queue.retries('x')).toBe(7)
  queue.forget('x')
  expect(delayOf()).toBe(10)
})

test('shutting down wakes the takers and drops what waits', async () => {
  const { clock, advance } = manualClock()
  const queue = createQueue({ clock })
  const waiting = queue.take()
  queue.addAfter('x', 10)
  queue.shutDown()
  advance(100)
  queue.add('y')
  expect(await waiting).toBeUndefined()
  expect(await queue.take()).toBeUndefined()
})

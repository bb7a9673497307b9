import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Fault } from '../harness/fault-proxy.ts'
import { useCachedWorld } from './cached-world.ts'

const { world, start, write, drop, make, becomesTrue } = useCachedWorld()

const expired = { kind: 'Status', code: 410, reason: 'Expired' }
const trouble = fc.constantFrom<Fault | 'cut' | 'stall'>(
  'cut',
  'stall',
  { answer: 410, body: expired },
  { answer: 200, body: { type: 'ERROR', object: expired } },
  { answer: 200, body: 'not JSON' },
  { answer: 429, headers: { 'retry-after': '0.1' }, body: 'Too many requests' },
  { answer: 500, body: 'boom' },
  { cut: 'before' },
  { cut: 'after' },
  { delayMs: 50 },
)
const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ write: name, value: fc.string({ minLength: 1, maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ drop: name }) },
  { weight: 2, arbitrary: fc.record({ trouble }) },
)

test('whatever the network does and in whatever order, the cache ends as the server is', async () => {
  const started = await start({
    inactivityMs: 400,
    backoff: { baseMs: 5, maxMs: 50 },
    relistMs: 1_000,
    missGraceMs: 2_000,
  })
  const there = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const removals: (() => void)[] = []
      for (const each of steps) {
        if ('drop' in each) {
          if (there.delete(each.drop)) await drop(each.drop)
        } else if ('write' in each) {
          if (!there.has(each.write)) await make(each.write)
          there.add(each.write)
          await write(each.write, each.value)
        } else if (each.trouble === 'cut') world.proxy.cutAll()
        else if (each.trouble === 'stall') world.proxy.stallOpen()
        else removals.push(world.proxy.inject({ match: () => true, fault: each.trouble, times: 1 }))
        await pause(2)
      }
      for (const removal of removals) removal()
      await becomesTrue(started)
    }),
    { numRuns: 25, interruptAfterTimeLimit: 8_000 },
  )
  // The periodic list ran beside all that and found nothing the watch had not brought.
  expect(started.metrics.lists).toContain('periodic')
  expect(started.metrics.misses).toBe(0)
})

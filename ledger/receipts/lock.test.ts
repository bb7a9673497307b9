import { expect, test } from 'vitest'
import { keyedLock } from './lock.ts'

test('one at a time for a key, in order, others beside; a failure lets the next go', async () => {
  const lock = keyedLock()
  const log: string[] = []
  const gates = new Map<string, () => void>()
  const task = (key: string, name: string) =>
    lock(key, async () => {
      log.push(`${name} begins`)
      await new Promise<void>((resolve) => gates.set(name, resolve))
      log.push(`${name} ends`)
      if (name === 'one') throw new Error('one')
    })
  const one = task('a', 'one')
  const two = task('a', 'two')
  const beside = task('b', 'beside')
  await new Promise(setImmediate)
  expect(log).toEqual(['one begins', 'beside begins'])
  gates.get('one')?.()
  await expect(one).rejects.toThrow('one')
  await new Promise(setImmediate)
  gates.get('two')?.()
  gates.get('beside')?.()
  await Promise.all([two, beside])
  expect(log.slice(2)).toEqual(['one ends', 'two begins', 'two ends', 'beside ends'])
})

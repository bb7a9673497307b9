import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SignedRemit } from '../../lib/api/remit.ts'
import { createLogger } from '../../lib/service/log.ts'
import { openRemits, type Remits } from './held.ts'

let dir: string
const log = createLogger({ part: 'test', level: 'silent' })
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'remit-held-'))
})
const opened: Remits[] = []
/** What is taken last in a test may still be on its way to the disk when the test is over. */
afterEach(async () => {
  await Promise.all(opened.splice(0).map((remits) => remits.settled()))
  rmSync(dir, { recursive: true })
})
const open = (): Remits => {
  const remits = openRemits({ dir, log })
  opened.push(remits)
  return remits
}

const signed = (id: string, generation: number, epoch = 1): SignedRemit =>
  ({
    remit: { agent: { id, namespace: 'payments', name: 'bot' }, generation, epoch },
    signature: `${id}-${generation}-${epoch}`,
  }) as SignedRemit

test('generation and epoch of one agent never go back, across restarts and deletion', async () => {
  const remits = open()
  expect(remits.offer('payments', 'bot', signed('one', 5, 2))).toBe(true)
  expect(remits.offer('payments', 'bot', signed('one', 4, 2))).toBe(false)
  expect(remits.offer('payments', 'bot', signed('one', 6, 1))).toBe(false)
  remits.withdraw('payments', 'bot')
  await remits.settled()
  const again = open()
  expect(again.current('payments', 'bot')).toBeUndefined()
  expect(again.idOf('payments', 'bot')).toBe('one')
  expect(again.offer('payments', 'bot', signed('one', 4, 2))).toBe(false)
  expect(again.offer('payments', 'bot', signed('one', 6, 2))).toBe(true)
})

test('an agent made again under the same name starts anew, and the one before never comes back', async () => {
  const remits = open()
  remits.offer('payments', 'bot', signed('one', 500, 9))
  expect(remits.offer('payments', 'bot', signed('two', 1))).toBe(true)
  await remits.settled()
  expect(open().offer('payments', 'bot', signed('one', 501, 9))).toBe(false)
  expect(remits.current('payments', 'bot')?.remit.agent.id).toBe('two')
})

test('a remit of another name than its object’s is not passed on', async () => {
  const remits = open()
  expect(remits.offer('search', 'bot', signed('one', 1))).toBe(false)
  await remits.settled()
  expect(remits.current('search', 'bot')).toBeUndefined()
})

test('names are kept apart on disk', async () => {
  const remits = open()
  for (const [namespace, name] of [
    ['a_b', 'c'],
    ['a', 'b_c'],
    ['a', 'b'.repeat(253)],
  ] as const) {
    const remit = { ...signed(`${namespace} ${name}`, 1).remit, agent: { id: `${namespace} ${name}`, namespace, name } }
    expect(remits.offer(namespace, name, { remit, signature: 's' } as SignedRemit)).toBe(true)
  }
  await remits.settled()
  const again = open()
  expect(again.idOf('a_b', 'c')).toBe('a_b c')
  expect(again.idOf('a', 'b_c')).toBe('a b_c')
  expect(again.idOf('a', 'b'.repeat(253))).toBe(`a ${'b'.repeat(253)}`)
})

test('who subscribed hears of each new remit once, until they stop', async () => {
  const remits = open()
  const heard: number[] = []
  const stop = remits.subscribe('payments', 'bot', ({ remit }) => heard.push(remit.generation))
  remits.offer('payments', 'bot', signed('one', 1))
  remits.offer('payments', 'bot', signed('one', 1))
  await remits.settled()
  remits.offer('payments', 'bot', signed('one', 2))
  await remits.settled()
  stop()
  remits.offer('payments', 'bot', signed('one', 3))
  await remits.settled()
  expect(heard).toEqual([1, 2])
})

test('nothing is told before the disk has it; what came meanwhile is told as its latest', async () => {
  const remits = open()
  const heard: number[] = []
  remits.subscribe('payments', 'bot', ({ remit }) => {
    expect(open().current('payments', 'bot')?.remit.generation).toBe(remit.generation)
    heard.push(remit.generation)
  })
  for (const generation of [1, 2, 3]) remits.offer('payments', 'bot', signed('one', generation))
  expect(remits.current('payments', 'bot')).toBeUndefined()
  await remits.settled()
  expect(heard).toEqual([1, 3])
  expect(remits.current('payments', 'bot')?.remit.generation).toBe(3)
})

test('a remit that takes authority away is told though its object is gone a moment later', async () => {
  const remits = open()
  const heard: number[] = []
  remits.subscribe('payments', 'bot', ({ remit }) => heard.push(remit.generation))
  for (const generation of [1, 2]) remits.offer('payments', 'bot', signed('one', generation))
  remits.withdraw('payments', 'bot')
  await remits.settled()
  expect(heard).toEqual([1, 2])
  expect(remits.current('payments', 'bot')).toBeUndefined()
})

test('with a disk that takes nothing a remit is told all the same', async () => {
  const remits = open()
  rmSync(dir, { recursive: true })
  remits.offer('payments', 'bot', signed('one', 1))
  await remits.settled()
  expect(remits.current('payments', 'bot')?.remit.generation).toBe(1)
  mkdirSync(dir)
})

test('an edit of a policy brings thousands at once, and all are told and kept', async () => {
  const remits = open()
  const names = Array.from({ length: 500 }, (_, index) => `bot-${index}`)
  for (const name of names) {
    const remit = { ...signed(name, 1).remit, agent: { id: name, namespace: 'payments', name } }
    remits.offer('payments', name, { remit, signature: name } as SignedRemit)
  }
  await remits.settled()
  expect(names.every((name) => remits.current('payments', name) !== undefined)).toBe(true)
  expect(open().names()).toHaveLength(500)
})

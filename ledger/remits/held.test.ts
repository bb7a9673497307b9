import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SignedRemit } from '../../lib/api/remit.ts'
import { createLogger } from '../../lib/service/log.ts'
import { openRemits } from './held.ts'

let dir: string
const log = createLogger({ part: 'test', level: 'silent' })
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'remit-held-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const signed = (id: string, generation: number, epoch = 1): SignedRemit =>
  ({
    remit: { agent: { id, namespace: 'payments', name: 'bot' }, generation, epoch },
    signature: `${id}-${generation}-${epoch}`,
  }) as SignedRemit

test('generation and epoch of one agent never go back, across restarts and deletion', () => {
  const remits = openRemits({ dir, log })
  expect(remits.offer('payments', 'bot', signed('one', 5, 2))).toBe(true)
  expect(remits.offer('payments', 'bot', signed('one', 4, 2))).toBe(false)
  expect(remits.offer('payments', 'bot', signed('one', 6, 1))).toBe(false)
  remits.withdraw('payments', 'bot')
  const again = openRemits({ dir, log })
  expect(again.current('payments', 'bot')).toBeUndefined()
  expect(again.idOf('payments', 'bot')).toBe('one')
  expect(again.offer('payments', 'bot', signed('one', 4, 2))).toBe(false)
  expect(again.offer('payments', 'bot', signed('one', 6, 2))).toBe(true)
})

test('an agent made again under the same name starts anew, and the one before never comes back', () => {
  const remits = openRemits({ dir, log })
  remits.offer('payments', 'bot', signed('one', 500, 9))
  expect(remits.offer('payments', 'bot', signed('two', 1))).toBe(true)
  expect(openRemits({ dir, log }).offer('payments', 'bot', signed('one', 501, 9))).toBe(false)
  expect(remits.current('payments', 'bot')?.remit.agent.id).toBe('two')
})

test('a remit of another name than its object’s is not passed on', () => {
  const remits = openRemits({ dir, log })
  expect(remits.offer('search', 'bot', signed('one', 1))).toBe(false)
  expect(remits.current('search', 'bot')).toBeUndefined()
})

test('names are kept apart on disk', () => {
  const remits = openRemits({ dir, log })
  for (const [namespace, name] of [
    ['a_b', 'c'],
    ['a', 'b_c'],
    ['a', 'b'.repeat(253)],
  ] as const) {
    const remit = { ...signed(`${namespace} ${name}`, 1).remit, agent: { id: `${namespace} ${name}`, namespace, name } }
    expect(remits.offer(namespace, name, { remit, signature: 's' } as SignedRemit)).toBe(true)
  }
  const again = openRemits({ dir, log })
  expect(again.idOf('a_b', 'c')).toBe('a_b c')
  expect(again.idOf('a', 'b_c')).toBe('a b_c')
  expect(again.idOf('a', 'b'.repeat(253))).toBe(`a ${'b'.repeat(253)}`)
})

test('who subscribed hears of each new remit once, until they stop', () => {
  const remits = openRemits({ dir, log })
  const heard: number[] = []
  const stop = remits.subscribe('payments', 'bot', ({ remit }) => heard.push(remit.generation))
  remits.offer('payments', 'bot', signed('one', 1))
  remits.offer('payments', 'bot', signed('one', 1))
  remits.offer('payments', 'bot', signed('one', 2))
  stop()
  remits.offer('payments', 'bot', signed('one', 3))
  expect(heard).toEqual([1, 2])
})

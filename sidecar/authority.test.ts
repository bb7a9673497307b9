import { expect, it } from 'vitest'
import type { Remit, RemitRule } from '../lib/api/remit.ts'
import { decide } from '../lib/core/decide.ts'
import { newHistory } from '../lib/core/history/history.ts'
import { remitOf } from '../lib/core/testing/remit.ts'
import { createLogger } from '../lib/service/log.ts'
import { createAuthority } from './authority.ts'

const log = createLogger({ part: 'test', level: 'silent' })
const first = remitOf([{ tools: [{ name: 'all', match: { tools: ['*'] }, effect: 'Allow' }] }])
const next = (change: Partial<Remit>): Remit => ({ ...first, generation: first.generation + 1, ...change })
const call = { server: 'billing', tool: 'refund', arguments: {} }
const open = () => {
  const authority = createAuthority({ log })
  authority.accept(first)
  const decided = () => {
    const { prepared } = authority.current()!
    return decide(prepared, call, newHistory(prepared), 0)
  }
  return { ...authority, decided }
}
/** As an operator of a later version may write one. */
const later = { ...first.rules[0]!, effect: 'Someday' } as unknown as RemitRule

it('a suspension holds, whatever else the remit says that this version does not know', () => {
  const authority = open()
  expect(authority.decided()).toMatchObject({ effect: 'Allow' })
  expect(authority.accept(next({ suspended: true, rules: [later] }))).toBe(true)
  expect(authority.decided()).toMatchObject({ effect: 'Deny', code: 'AgentSuspended' })
})

it('a remit that this version cannot enforce to the letter denies every call: keeping the one before would undo it', () => {
  const authority = open()
  expect(authority.accept(next({ rules: [...first.rules, later] }))).toBe(true)
  expect(authority.decided()).toMatchObject({ effect: 'Deny', code: 'RemitNotUnderstood' })
  expect(authority.accept(next({ generation: first.generation + 2 }))).toBe(true)
  expect(authority.decided()).toMatchObject({ effect: 'Allow' })
})

it('an older remit, or one of an older operator, is left aside', () => {
  const authority = open()
  expect(authority.accept(next({ epoch: 3 }))).toBe(true)
  expect(authority.accept(next({ generation: first.generation + 9, epoch: 2 }))).toBe(false)
  expect(authority.accept({ ...first, epoch: 3 })).toBe(false)
})

import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Filter } from '../store/index.ts'
import { fieldSelector, labelSelector } from './selectors.ts'

const db = new DatabaseSync(':memory:')
db.exec('CREATE TABLE receipts (agent TEXT, agent_id TEXT, effect TEXT, kind TEXT, name TEXT)')
db.exec(
  "INSERT INTO receipts VALUES ('a', '1', 'Deny', 'intent', 'r1'), ('a', '1', NULL, 'result', 'r2'), ('b', '2', 'Allow', 'intent', 'r3')",
)
const found = ({ sql, values }: Filter) =>
  (db.prepare(`SELECT name FROM receipts WHERE ${sql} ORDER BY name`).all(...values) as { name: string }[]).map(
    ({ name }) => name,
  )

test.each([
  ['', ['r1', 'r2', 'r3']],
  ['remit.dev/agent=a', ['r1', 'r2']],
  ['remit.dev/agent==a,remit.dev/agent-id=2', []],
  ['remit.dev/agent!=a', ['r3']],
  ['remit.dev/agent in (a, b)', ['r1', 'r2', 'r3']],
  ['remit.dev/agent in (c),remit.dev/agent', []],
  ['remit.dev/agent notin (a)', ['r3']],
  ['team=x', []],
  ['team!=x', ['r1', 'r2', 'r3']],
  ['team', []],
  ['!team', ['r1', 'r2', 'r3']],
  ['!remit.dev/agent', []],
  ['constructor', []],
  ['constructor=x', []],
])('label selector %j', (selector, names) => {
  expect(found(labelSelector(selector))).toEqual(names)
})

test.each([
  ['body.kind=intent', ['r1', 'r3']],
  ['body.decision.effect!=Deny', ['r2', 'r3']],
  ['body.kind=intent,body.decision.effect==Allow', ['r3']],
  ['metadata.name=r2', ['r2']],
])('field selector %j', (selector, names) => {
  expect(found(fieldSelector(selector))).toEqual(names)
})

test.each(['remit.dev/agent in a', '=', 'a b', 'a in (', `${'a,'.repeat(65)}a`, 'x'.repeat(5_000)])(
  'label selector %j is refused',
  (selector) => {
    expect(() => labelSelector(selector)).toThrow(expect.objectContaining({ name: 'QueryError', code: 400 }))
  },
)
test.each(['color=red', 'body.kind', '__proto__=1', 'constructor=1'])('field selector %j is refused', (selector) => {
  expect(() => fieldSelector(selector)).toThrow(expect.objectContaining({ name: 'QueryError', code: 400 }))
})

test('no text of a user becomes SQL: whatever is taken runs, and what is not is refused', () => {
  const nasty = fc.string({
    unit: fc.constantFrom('remit.dev/agent', 'body.kind', ' in ', '=', ...'!,()\'"; -\\%_?:ab'.split('')),
    maxLength: 20,
  })
  fc.assert(
    fc.property(nasty, (selector) => {
      for (const parse of [labelSelector, fieldSelector]) {
        let filter: Filter
        try {
          filter = parse(selector)
        } catch (error) {
          expect(error).toMatchObject({ name: 'QueryError' })
          continue
        }
        expect(found(filter).length).toBeLessThanOrEqual(3)
        expect(filter.sql).not.toMatch(/['";]/)
      }
    }),
  )
})

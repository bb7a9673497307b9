import { createHash, createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { createCommitments, type Place } from './commitments.ts'

const dir = mkdtempSync(join(tmpdir(), 'remit-commitments-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const place = (spanId: string): Place => ({ trace: { traceId: 'ab'.repeat(16), spanId }, part: 'arguments' })

it('can be opened with the key as the page says, also by another run, and by nobody else', () => {
  const committed = createCommitments(dir).at(place('01'))('to[0].iban', 'DE02120300000000202051')
  expect(createCommitments(dir).at(place('01'))('to[0].iban', 'DE02120300000000202051')).toEqual(committed)
  const key = Buffer.from(readFileSync(join(dir, 'commitment.key'), 'utf8'), 'hex')
  const salt = createHmac('sha256', key)
    .update(`${'ab'.repeat(16)}/01/arguments/to[0].iban`)
    .digest()
  const opened = createHash('sha256').update(salt).update('"DE02120300000000202051"').digest('hex')
  expect(committed).toEqual({ 'dev.remit/commitment': `sha256:${opened}` })
  expect(statSync(join(dir, 'commitment.key')).mode & 0o777).toBe(0o600)
})

it('looks different for equal values of two calls, and at two places of one', () => {
  const { at, digest } = createCommitments(dir)
  const all = [at(place('01'))('a', 1), at(place('02'))('a', 1), at(place('01'))('b', 1)].map((one) =>
    JSON.stringify(one),
  )
  expect(new Set(all).size).toBe(3)
  expect(digest(place('01'), '{}')).not.toBe(digest(place('02'), '{}'))
})

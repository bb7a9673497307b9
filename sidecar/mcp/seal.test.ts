import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { createSeal } from './seal.ts'

const dir = mkdtempSync(join(tmpdir(), 'remit-seal-'))
afterAll(() => rmSync(dir, { recursive: true }))

it('opens what it closed, after a restart too, for the purpose it was closed for and no other', () => {
  const value = { a: ['é', 1, null] }
  const text = createSeal(dir).close('one', value)
  const seal = createSeal(dir)
  expect(seal.open('one', text)).toEqual(value)
  expect(seal.open('two', text)).toBeUndefined()
})

it('opens nothing else', () => {
  const seal = createSeal(dir)
  const text = seal.close('one', { a: 1 })
  for (let at = 0; at < text.length; at++) {
    const changed = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
    expect(seal.open('one', changed)).toBeUndefined()
  }
  for (const other of ['', 'A', `${text}=`, `${text}\n`, ` ${text}`, text.slice(0, 30), text + text])
    expect(seal.open('one', other)).toBeUndefined()
})

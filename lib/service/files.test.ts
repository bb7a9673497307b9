import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readIfThere, replaceFile } from './files.ts'

const dir = mkdtempSync(join(tmpdir(), 'remit-files-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('a file is there as a whole, for its owner alone, and nothing beside it', () => {
  const path = join(dir, 'key')
  expect(readIfThere(path)).toBeUndefined()
  replaceFile(path, 'a longer text')
  replaceFile(path, 'short')
  expect(readIfThere(path)).toBe('short')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(dir)).toEqual(['key'])
})

test('what cannot be read is no file that is missing', () => {
  expect(() => readIfThere(dir)).toThrow('EISDIR')
  expect(() => replaceFile(join(dir, 'nowhere', 'key'), '')).toThrow('ENOENT')
})

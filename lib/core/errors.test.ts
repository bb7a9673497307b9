import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { catalog, type ErrorCode, UserError } from './errors.ts'

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
)

test('every code has a section, and every section a code', () => {
  expect([...sections.keys()].sort()).toEqual(Object.keys(catalog).sort())
})

test.each(Object.entries(catalog))('%s: the page says what the catalog says', (code, { message, remedy, retry }) => {
  const section = sections.get(code) ?? ''
  expect(section).toContain(message)
  expect(section).toContain(`- What to do: ${remedy}`)
  expect(section).toContain(`- Again: ${retry ? 'yes' : 'no'}`)
})

test('values fill the sentence and the remedy; one that is missing stays visible', () => {
  const error = new UserError('PolicyMissing', { name: 'billing' })
  expect(error.message).toBe('The policy billing does not exist in namespace {namespace}.')
  expect(error.remedy).toBe('Create it, or name another in spec.policyRefs.')
  expect(error.retry).toBe(false)
})

test('every code is used', () => {
  // A code nobody gives would be documentation of something that cannot happen.
  const unused = (Object.keys(catalog) as ErrorCode[]).filter((code) => !sources().includes(`'${code}'`))
  expect(unused).toEqual([])
})

const sources = (() => {
  let text: string | undefined
  return () => {
    text ??= ['lib', 'operator', 'webhook', 'sidecar', 'ledger', 'cli']
      .flatMap((dir) => readdirSync(new URL(`../../${dir}`, import.meta.url), { recursive: true, withFileTypes: true }))
      .filter(
        (entry) =>
          entry.isFile() &&
          entry.name.endsWith('.ts') &&
          !entry.name.endsWith('.test.ts') &&
          entry.name !== 'errors.ts',
      )
      .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8'))
      .join('\n')
    return text
  }
})()

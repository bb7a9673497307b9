import { expect, test } from 'vitest'
import { isOlder } from './version.ts'

test.each([
  ['9', '10', true],
  ['10', '9', false],
  ['10', '10', false],
  ['99999999999999999999', '100000000000000000000', true],
  ['123456789012345678', '123456789012345679', true],
  ['', '10', false],
  ['0', '10', false],
  ['09', '10', false],
  ['9', 'abc', false],
  ['-1', '10', false],
])('%s is older than %s: %s', (version, than, older) => {
  expect(isOlder(version, than)).toBe(older)
})

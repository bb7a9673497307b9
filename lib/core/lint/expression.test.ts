import { expect, test } from 'vitest'
import { looseness } from './expression.ts'

test.each([
  '^T-[0-9]+$',
  '^(?:EUR|USD)$',
  '^EUR$|^USD$',
  '(^EUR$|^USD$)',
  '(?i)^eur$',
  '\\AT-\\d+\\z',
  '^a\\.*$',
  '^[.*]+$',
  '^[^/]*$',
  '^.{3}$',
  '^[]|]a$',
])('%s leaves nothing open', (pattern) => expect(looseness(pattern)).toBeUndefined())

test.each([
  'T-[0-9]+',
  '^T-[0-9]+',
  'T-[0-9]+$',
  '^EUR|USD$',
  '(^EUR$)|USD',
  '(^a)(b$)|c',
  '(?m)^a$',
  '(?im)^a$',
  '^a\\$',
  '\\^a$',
  '[^a]$',
  'Apple to Z',
])('%s is found anywhere', (pattern) => expect(looseness(pattern)).toBe('unanchored'))

test.each(['^.*$', '^https://.+\\.corp\\.example/$', '^a.{2,}$', '^(?:a.*b|c)$'])('%s takes anything', (pattern) =>
  expect(looseness(pattern)).toBe('wildcard'),
)

import { expect, test } from 'vitest'
import { parsePath, type Step } from '../path.ts'
import { cpuMs } from '../testing/cpu.ts'
import { typesAt } from './schema-types.ts'

const types = (inputSchema: object, path: string) => {
  const found = typesAt({ name: 't', inputSchema }, parsePath(path) as Step[])
  return found === undefined ? 'any' : [...found].sort().join(' ')
}
const closed = (properties: object) => ({ type: 'object', properties, additionalProperties: false })

test.each<[object, string, string]>([
  [{}, 'a', 'any'],
  [{ type: 'object' }, 'a', 'any'],
  [{ type: 'array' }, 'a', ''],
  [closed({ a: { type: 'string' } }), 'a', 'decimal text'],
  [closed({ a: { type: 'integer' } }), 'a', 'number'],
  [closed({ a: { type: ['boolean', 'null'] } }), 'a', 'boolean'],
  [closed({ a: true }), 'a', 'any'],
  [closed({ a: false }), 'a', ''],
  [closed({ a: {} }), 'b', ''],
  [closed({ a: {} }), 'constructor', ''],
  [closed({ a: { enum: ['x', '5', 7, null] } }), 'a', 'decimal number text'],
  [closed({ a: { const: 'x', type: 'string' } }), 'a', 'text'],
  [closed({ a: { type: 'array', items: { type: 'number' } } }), 'a[*]', 'number'],
  [closed({ a: { type: 'array' } }), 'a[*].b', 'any'],
  [closed({ a: { type: 'array', prefixItems: [{ type: 'string' }], items: false } }), 'a[*]', 'any'],
  [closed({ a: { type: 'string' } }), 'a.b', ''],
  [{ additionalProperties: { type: 'boolean' } }, 'b', 'boolean'],
  [{ patternProperties: { '^x-': {} }, additionalProperties: false }, 'x-a', 'any'],
  [{ anyOf: [closed({ a: { type: 'string' } }), closed({ a: { type: 'number' } })] }, 'a', 'decimal number text'],
  [{ oneOf: [closed({ a: { type: 'string' } }), {}] }, 'a', 'any'],
  [
    { allOf: [{ properties: { a: { type: ['string', 'number'] } } }, closed({ a: { type: 'number' } })] },
    'a',
    'number',
  ],
  [{ $ref: '#/$defs/A~1b', $defs: { 'A/b': closed({ a: { type: 'number' } }) } }, 'a', 'number'],
  [{ $ref: 'https://other.example/schema' }, 'a', 'any'],
  [{ $ref: '#/$defs/none' }, 'a', 'any'],
])('%j at %s: %s', (schema, path, expected) => expect(types(schema, path)).toBe(expected))

test('a schema that refers to itself twice at every turn ends', () => {
  const self = { $ref: '#' }
  const started = cpuMs()
  expect(types({ anyOf: [self, self], oneOf: [self, self], allOf: [self, self] }, 'a')).toBe('any')
  expect(cpuMs() - started).toBeLessThan(500)
})

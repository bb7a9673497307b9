import { expect, it } from 'vitest'
import { mirroredOf } from './annotated.ts'

const property = (schema: object) => ({ type: 'object', properties: { a: schema } })
const region = { type: 'string', 'x-mcp-header': 'Region' }
const deep = (levels: number): object => (levels === 0 ? region : property(deep(levels - 1)))

it('what is asked for stands along properties, at any depth', () => {
  expect(
    mirroredOf({
      type: 'object',
      properties: {
        a: region,
        b: property({ type: 'integer', 'x-mcp-header': 'In' }),
        items: { type: 'boolean', 'x-mcp-header': "!#$%&'*+-.^_`|~0a" },
      },
    }),
  ).toEqual([
    { path: ['a'], header: 'mcp-param-region' },
    { path: ['b', 'a'], header: 'mcp-param-in' },
    { path: ['items'], header: "mcp-param-!#$%&'*+-.^_`|~0a" },
  ])
})

it.each<[string, unknown]>([
  ['no schema', undefined],
  ['an empty one', {}],
  ['true', true],
  ['data', property({ type: 'object', default: { 'x-mcp-header': 'a b' }, enum: [region], items: { const: region } })],
  ['a property of that name', { properties: { 'x-mcp-header': { type: 'string' } }, items: property({}) }],
  ['such a property below', property({ items: { properties: { 'x-mcp-header': { type: 'string' } } } })],
])('%s asks for nothing', (_what, schema) => expect(mirroredOf(schema)).toEqual([]))

it.each<[string, object]>([
  ['a number', property({ ...region, type: 'number' })],
  ['an object', property({ ...region, type: 'object' })],
  ['one of two types', property({ ...region, type: ['string', 'null'] })],
  ['a list of one type', property({ ...region, type: ['string'] })],
  ['no type', property({ 'x-mcp-header': 'Region' })],
  ['an empty name', property({ ...region, 'x-mcp-header': '' })],
  ['no name', property({ ...region, 'x-mcp-header': true })],
  ['null', property({ ...region, 'x-mcp-header': null })],
  ['no token', property({ ...region, 'x-mcp-header': 'a b' })],
  ['a colon', property({ ...region, 'x-mcp-header': 'a:' })],
  ['another alphabet', property({ ...region, 'x-mcp-header': 'Région' })],
  ['a line', property({ ...region, 'x-mcp-header': 'a\r\nb: c' })],
  ['two of one name', { type: 'object', properties: { a: region, b: { ...region, 'x-mcp-header': 'REGION' } } }],
  ['the root', { ...region, type: 'object' }],
  ['items', property({ type: 'array', items: region })],
  ['items of a list', property({ type: 'array', prefixItems: [region] })],
  ['additional properties', property({ additionalProperties: region })],
  ['properties by pattern', property({ patternProperties: { '^a': region } })],
  ['a choice', { type: 'object', anyOf: [property(region)] }],
  ['a condition', { type: 'object', if: property(region) }],
  ['a negation', { type: 'object', not: { not: property(region) } }],
  ['a definition', { type: 'object', $defs: { d: region } }],
  ['a definition that has a name of data', { type: 'object', $defs: { default: region } }],
  ['a property below items that has a name of data', property({ items: { properties: { examples: region } } })],
  ['more depth than is looked at', deep(70)],
])('%s cannot be asked for', (_what, schema) => expect(mirroredOf(schema)).toBeUndefined())

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeValue, encodeValue, mirror, mirroredOf, mirrorProblem } from './mirrored.ts'

const property = (schema: object) => ({ type: 'object', properties: { a: schema } })
const region = { type: 'string', 'x-mcp-header': 'Region' }

describe('values in headers', () => {
  it.each([
    ['us-west1', 'us-west1'],
    ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
    [' padded ', '=?base64?IHBhZGRlZCA=?='],
    ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
    ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
    ['', '=?base64??='],
  ])('%j is written %s, as the specification has it', (value, header) => {
    expect(encodeValue(value)).toBe(header)
    expect(decodeValue(header)).toBe(value)
  })

  it('come back as they were, and are always what a header may hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const header = encodeValue(value)
        expect(header).toMatch(/^[\x20-\x7e\t]*$/)
        expect(decodeValue(header)).toBe(value)
      }),
    )
  })

  it.each(['a\u0001b', 'é', ' a', '', '=?base64?YQ?=', '=?base64?Y Q==?=', '=?base64?/w==?=', '=?base64?YR==?='])(
    '%j is none',
    (header) => expect(decodeValue(header)).toBeUndefined(),
  )
})

describe('what a tool wants repeated', () => {
  it('is found along properties, at any depth', () => {
    expect(
      mirroredOf({ ...property(region), properties: { a: region, b: property({ ...region, 'x-mcp-header': 'In' }) } }),
    ).toEqual([
      { path: ['a'], header: 'mcp-param-region' },
      { path: ['b', 'a'], header: 'mcp-param-in' },
    ])
    expect(mirroredOf(property({ type: 'string', default: { 'x-mcp-header': 'no schema' } }))).toEqual([])
    expect(mirroredOf({})).toEqual([])
  })

  it.each<[string, object]>([
    ['a number', property({ ...region, type: 'number' })],
    ['an object', property({ ...region, type: 'object' })],
    ['no type', property({ 'x-mcp-header': 'Region' })],
    ['no name', property({ ...region, 'x-mcp-header': '' })],
    ['no token', property({ ...region, 'x-mcp-header': 'a b' })],
    ['a line', property({ ...region, 'x-mcp-header': 'a\r\nb: c' })],
    ['two of one name', { type: 'object', properties: { a: region, b: { ...region, 'x-mcp-header': 'REGION' } } }],
    ['the root', { ...region, type: 'object' }],
    ['items', property({ type: 'array', items: region })],
    ['a choice', { type: 'object', anyOf: [property(region)] }],
    ['a definition', { type: 'object', $defs: { d: region } }],
  ])('cannot be %s', (_what, schema) => expect(mirroredOf(schema)).toBeUndefined())

  it('is what is sent, and what has to be there', () => {
    const mirrored = mirroredOf({ properties: { a: region, n: { type: 'integer', 'x-mcp-header': 'N' } } })!
    const request = { method: 'tools/call', params: { name: 'é', arguments: { a: 'x', n: 7 } } }
    const headers = mirror(request, mirrored)
    expect(headers).toEqual({
      'mcp-method': 'tools/call',
      'mcp-name': '=?base64?w6k=?=',
      'mcp-param-region': 'x',
      'mcp-param-n': '7',
    })
    expect(mirrorProblem(headers, request, mirrored)).toBeUndefined()
    expect(mirrorProblem({ ...headers, 'mcp-param-n': '7.0' }, request, mirrored)).toBeUndefined()
    expect(mirrorProblem({ ...headers, 'mcp-param-n': '7e0' }, request, mirrored)).toMatch(/mcp-param-n/)
    expect(mirrorProblem({ ...headers, 'mcp-param-region': undefined }, request, mirrored)).toMatch(/region/)
    const empty = { method: 'tools/call', params: { name: 'é', arguments: { a: null } } }
    expect(mirror(empty, mirrored)).toEqual({ 'mcp-method': 'tools/call', 'mcp-name': '=?base64?w6k=?=' })
  })
})

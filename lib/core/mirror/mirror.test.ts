import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../json-rpc.ts'
import type { Mirrored } from './annotated.ts'
import { type Headers, mirror, mirrorProblem } from './mirror.ts'

const MIRRORED: Mirrored[] = [
  { path: ['region'], header: 'mcp-param-region' },
  { path: ['inner', 'count'], header: 'mcp-param-count' },
  { path: ['dry'], header: 'mcp-param-dry' },
]
const calling = (args?: JsonObject | null, name = 'echo') => ({
  method: 'tools/call',
  params: { name, ...(args === undefined ? {} : { arguments: args }) } as JsonObject,
})
const asSent = (headers: Record<string, string>): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))

describe('what is sent', () => {
  it.each<[string, JsonObject | null | undefined, Record<string, string>]>([
    [
      'of all that is there',
      { region: 'é', inner: { count: 7 }, dry: false },
      { region: '=?base64?w6k=?=', count: '7', dry: 'false' },
    ],
    ['of what is empty', { region: '' }, { region: '=?base64??=' }],
    ['of what is null', { region: null, inner: { count: null } }, {}],
    ['of what is not there', { inner: {} }, {}],
    ['of no arguments', undefined, {}],
    ['of arguments that are none', null, {}],
    ['of lists and objects', { region: ['a'], dry: { a: 1 } }, {}],
    ['of a negative number', { inner: { count: -7 } }, { count: '-7' }],
    ['of minus nothing', { inner: { count: -0 } }, { count: '0' }],
    ['of the largest number that is one', { inner: { count: 2 ** 53 - 1 } }, { count: '9007199254740991' }],
    ['of a number beyond', { inner: { count: 2 ** 53 } }, {}],
    ['of a fraction', { inner: { count: 1.5 } }, { count: '1.5' }],
  ])('%s', (_what, args, params) => {
    const headers = mirror(calling(args), MIRRORED)
    expect(headers).toEqual({
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
      ...Object.fromEntries(Object.entries(params).map(([name, value]) => [`mcp-param-${name}`, value])),
    })
    expect(mirrorProblem(asSent(headers), calling(args), MIRRORED)).toBeUndefined()
  })

  it.each<[string, JsonObject, string | undefined]>([
    ['tools/call', { name: 'a b' }, 'a b'],
    ['prompts/get', { name: 'p', uri: 'x' }, 'p'],
    ['resources/read', { name: 'x', uri: 'file:///a' }, 'file:///a'],
    ['tasks/get', { taskId: 't' }, 't'],
    ['tasks/update', { taskId: 't' }, 't'],
    ['tasks/cancel', { taskId: 't' }, 't'],
    ['tools/list', { name: 'x' }, undefined],
    ['resources/subscribe', { uri: 'x' }, undefined],
    ['constructor', { name: 'x' }, undefined],
    ['tools/call', { name: 7 }, undefined],
  ])('%s with %j is of the name %s', (method, params, name) => {
    expect(mirror({ method, params })['mcp-name']).toBe(name)
  })
})

describe('what is received', () => {
  const args: JsonObject = { region: 'eu', inner: { count: 42 }, dry: true }
  const right = asSent(mirror(calling(args), MIRRORED))

  it.each<[string, Headers]>([
    ['a number with a fraction of nothing', { 'mcp-param-count': ['42.0'] }],
    ['a header that nothing stands for', { 'mcp-param-other': ['x', 'y'] }],
    [
      'what need not be encoded, encoded',
      { 'mcp-name': ['=?base64?ZWNobw==?='], 'mcp-param-region': ['=?base64?ZXU=?='] },
    ],
  ])('passes with %s', (_what, more) => {
    expect(mirrorProblem({ ...right, ...more }, calling(args), MIRRORED)).toBeUndefined()
  })

  it.each<[string, Headers, RegExp]>([
    ['no method', { 'mcp-method': undefined }, /Mcp-Method is missing/],
    ['another method', { 'mcp-method': ['tools/list'] }, /Mcp-Method is not/],
    ['the method in another case', { 'mcp-method': ['Tools/Call'] }, /Mcp-Method is not/],
    ['the method encoded', { 'mcp-method': ['=?base64?dG9vbHMvY2FsbA==?='] }, /Mcp-Method is not/],
    ['the method twice', { 'mcp-method': ['tools/call', 'tools/call'] }, /Mcp-Method is there more than once/],
    ['no name', { 'mcp-name': undefined }, /Mcp-Name is missing/],
    ['another name', { 'mcp-name': ['die'] }, /Mcp-Name is not/],
    ['an empty name', { 'mcp-name': [''] }, /Mcp-Name is not/],
    ['two names', { 'mcp-name': ['echo', 'die'] }, /Mcp-Name is there more than once/],
    ['a name that is no Base64', { 'mcp-name': ['=?base64?###?='] }, /Mcp-Name has characters/],
    ['a name of other characters', { 'mcp-name': ['écho'] }, /Mcp-Name has characters/],
    ['no argument', { 'mcp-param-region': undefined }, /Mcp-Param-Region is missing/],
    ['another argument', { 'mcp-param-region': ['us'] }, /Mcp-Param-Region is not the argument region of/],
    ['an argument in another case', { 'mcp-param-region': ['EU'] }, /Mcp-Param-Region is not/],
    ['two arguments', { 'mcp-param-region': ['eu', 'us'] }, /Mcp-Param-Region is there more than once/],
    ['an argument of other characters', { 'mcp-param-region': ['e\u0000u'] }, /Mcp-Param-Region has characters/],
    ['another number', { 'mcp-param-count': ['43'] }, /Mcp-Param-Count is not the argument inner.count of/],
    ['a number and a bit', { 'mcp-param-count': ['42.5'] }, /Count is not/],
    ['a number and less than a double shows', { 'mcp-param-count': ['42.00000000000000000001'] }, /Count is not/],
    ['a number with a power', { 'mcp-param-count': ['42e0'] }, /Count is not/],
    ['a number of another base', { 'mcp-param-count': ['0x2a'] }, /Count is not/],
    ['a number with a zero before', { 'mcp-param-count': ['042'] }, /Count is not/],
    ['a number with a sign', { 'mcp-param-count': ['+42'] }, /Count is not/],
    ['a truth in another case', { 'mcp-param-dry': ['True'] }, /Mcp-Param-Dry is not/],
    ['a truth as a number', { 'mcp-param-dry': ['1'] }, /Mcp-Param-Dry is not/],
  ])('is refused with %s', (_what, more, problem) => {
    expect(mirrorProblem({ ...right, ...more }, calling(args), MIRRORED)).toMatch(problem)
  })

  it.each<[string, JsonObject]>([
    ['is not there', {}],
    ['is null', { region: null }],
    ['has no text', { region: ['eu'] }],
    ['is a number beyond what can be counted', { region: 2 ** 53 }],
  ])('may not repeat what %s', (_what, given) => {
    const headers = asSent(mirror(calling(given), MIRRORED))
    expect(mirrorProblem(headers, calling(given), MIRRORED)).toBeUndefined()
    const also = { ...headers, 'mcp-param-region': ['9007199254740992'] }
    expect(mirrorProblem(also, calling(given), MIRRORED)).toMatch(/Region is not/)
  })

  it('has a name only where there is one to repeat, and even then none that is broken', () => {
    const list = { method: 'tools/list', params: {} }
    const of = (name: string) => mirrorProblem({ 'mcp-method': ['tools/list'], 'mcp-name': [name] }, list)
    expect(of('x')).toBeUndefined()
    expect(of('=?base64?x?=')).toMatch(/Mcp-Name has characters/)
  })

  it('passes empty as it is, and encoded', () => {
    for (const value of ['', '=?base64??='])
      expect(
        mirrorProblem({ ...asSent(mirror(calling())), 'mcp-param-region': [value] }, calling({ region: '' }), MIRRORED),
      ).toBeUndefined()
  })
})

describe('of any request', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('=?base64?eA==?=', ' ', '42', 'true'),
  )
  const scalar = fc.oneof(text, fc.maxSafeInteger(), fc.boolean(), fc.constant(null))
  const request = fc
    .record({ name: text, region: scalar, count: scalar, dry: scalar })
    .map(({ name, region, count, dry }) => calling({ region, inner: { count }, dry } as JsonObject, name))

  it('what we write we accept', () => {
    fc.assert(
      fc.property(request, (asked) => {
        expect(mirrorProblem(asSent(mirror(asked, MIRRORED)), asked, MIRRORED)).toBeUndefined()
      }),
    )
  })

  it('what differs from it in any one byte, or lacks or repeats a header, we refuse', () => {
    const place = fc.record({ of: fc.nat(), at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) })
    fc.assert(
      fc.property(
        request,
        place,
        fc.constantFrom('replace', 'insert', 'drop', 'omit', 'repeat'),
        (asked, where, how) => {
          const headers = mirror(asked, MIRRORED)
          const names = Object.keys(headers)
          const name = names[where.of % names.length]!
          const value = headers[name]!
          const at = where.at % (value.length + (how === 'insert' ? 1 : 0))
          const byte = how === 'drop' ? '' : String.fromCharCode(where.byte)
          const other = value.slice(0, at) + byte + value.slice(how === 'insert' ? at : at + 1)
          fc.pre(how === 'omit' || how === 'repeat' || other !== value)
          const changed = how === 'omit' ? undefined : how === 'repeat' ? [value, value] : [other]
          expect(mirrorProblem({ ...asSent(headers), [name]: changed }, asked, MIRRORED)).toBeDefined()
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

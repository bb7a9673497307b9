import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_URI, uriProblem } from './uri.ts'

describe('plain: what resources/list of real servers gives', () => {
  test.each([
    'file:///handbook/a.md',
    'file:///handbook/R%C3%A9sum%C3%A9%20%2B%20more.md',
    'file:///handbook/100%25.md',
    'file:///handbook/v1..2/.hidden/a...b',
    'https://corp.example/docs/?q=a&page=2',
    'https://corp.example:8443/a/b;v=1',
    'http://[2001:db8::1]/a',
    'demo://resource/static/document/architecture.md',
    'postgres://reader@db:5432/orders/schema',
    'memo:insights',
    'urn:isbn:9780141036144',
    'git+ssh://host/repo',
    `file:///${'a'.repeat(MAX_URI - 8)}`,
  ])('%s', (uri) => {
    expect(uriProblem(uri)).toBeUndefined()
  })
})

describe('not plain: what could lead somewhere else than the text says', () => {
  test.each([
    ['steps upwards', 'file:///handbook/../etc/passwd'],
    ['a step upwards at the end', 'file:///handbook/..'],
    ['a step that goes nowhere', 'file:///handbook/./a.md'],
    ['steps without a path', 'memo:../secret'],
    ['steps behind a parameter', 'file:///handbook/..;/secret'],
    ['steps in a query', 'https://corp.example/read?path=../secret'],
    ['steps behind a comma', 'https://corp.example/a,../b'],
    ['encoded dots', 'file:///handbook/%2e%2e/secret'],
    ['encoded dots in capitals', 'file:///handbook/%2E%2E/secret'],
    ['one dot encoded', 'file:///handbook/.%2e/secret'],
    ['an encoded slash', 'file:///handbook%2f..%2fsecret'],
    ['an encoded slash in capitals', 'file:///handbook/a%2Fb'],
    ['an encoded backslash', 'file:///handbook/%5c%5csecret'],
    ['dots encoded twice', 'file:///handbook/%252e%252e/secret'],
    ['a slash encoded three times', 'file:///handbook/%25252fsecret'],
    ['a backslash', 'file:///handbook\\..\\secret'],
    ['full-width dots', 'file:///handbook/%EF%BC%8E%EF%BC%8E/secret'],
    ['a full-width slash', 'file:///handbook/a%EF%BC%8Fb'],
    ['an overlong slash', 'file:///handbook/%c0%af..%c0%afsecret'],
    ['bytes that are no text', 'file:///handbook/%ff'],
    ['a percent sign by itself', 'file:///handbook/100%'],
    ['an encoded zero byte', 'file:///etc/passwd%00.md'],
    ['an encoded line break', 'file:///handbook/a%0a.md'],
    ['a line break', 'file:///handbook/a\n.md'],
    ['a zero byte', 'file:///etc/passwd\0.md'],
    ['a space', 'file:///handbook/a b.md'],
    ['a space before', ' file:///handbook/a.md'],
    ['letters that need no encoding', 'file:///h%61ndbook/a.md'],
    ['a digit that needs no encoding', 'file:///handbook/%31.md'],
    ['beyond ASCII', 'file:///handbook/é.md'],
    ['a letter that looks like another', 'file:///h\u0430ndbook/a.md'],
    ['a zero-width space', 'file:///hand\u200bbook/a.md'],
    ['text that runs backwards', 'file:///handbook/\u202egnp.md'],
    ['a fragment', 'file:///handbook/a.md#../../secret'],
    ['an empty fragment', 'file:///handbook/a.md#'],
    ['a host in capitals', 'https://CORP.example/a'],
    ['a scheme in capitals', 'HTTPS://corp.example/a'],
    ['a scheme in capitals of one’s own', 'Demo://secret'],
    ['a user', 'https://corp.example@evil.example/a'],
    ['a user and a password', 'https://corp.example:443@evil.example/a'],
    ['an empty user', 'https://@evil.example/a'],
    ['a default port', 'https://corp.example:443/a'],
    ['a port with zeros', 'https://corp.example:08443/a'],
    ['an address as one number', 'http://2130706433/a'],
    ['an address in octal', 'http://0177.0.0.1/a'],
    ['an address in hex', 'http://0x7f.1/a'],
    ['a short address', 'http://127.1/a'],
    ['a long IPv6 address', 'http://[2001:db8:0:0:0:0:0:1]/a'],
    ['a host with an encoded letter', 'https://c%6frp.example/a'],
    ['slashes too few', 'https:/corp.example/a'],
    ['slashes too many', 'https:////corp.example/a'],
    ['no path', 'https://corp.example'],
    ['a drive by a bar', 'file:///C|/secret'],
    ['a file without a place', 'file:handbook/a.md'],
    ['localhost, which a file URI drops', 'file://localhost/handbook/a.md'],
    ['no scheme', '/handbook/a.md'],
    ['a bare name', 'handbook'],
    ['nothing', ''],
    ['braces of a template', 'file:///handbook/{path}'],
    ['quotes', 'file:///handbook/"a".md'],
    ['too long', `file:///${'a'.repeat(MAX_URI - 7)}`],
  ])('%s: %j', (_, uri) => {
    expect(uriProblem(uri)).toEqual(expect.any(String))
  })
})

test('whatever is plain is the same after a URL parser, and nobody decodes steps or hidden characters out of it', () => {
  const part = fc.constantFrom(
    ...[
      'file:///',
      'http://',
      'https://h/',
      'x:',
      'a',
      'A',
      '.',
      '..',
      '/',
      '\\',
      '%2e',
      '%2F',
      '%5c',
      '%25',
      '%',
      '@',
    ],
    ...[':', ';', '?', '#', ' ', '\t', '%00', '%c3%a9', '%61', 'é', '[', ']', '*', '~', '80', '=', '&', '%ef%bc%8e'],
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
      const uri = parts.join('')
      if (uriProblem(uri) !== undefined) return
      const { href, protocol } = new URL(uri)
      if (['file:', 'http:', 'https:'].includes(protocol)) expect(href).toBe(uri)
      for (let text = uri, before = ''; text !== before; ) {
        before = text
        expect(text).not.toMatch(/[\0-\x20\x7f\\#]/)
        expect(text.split(/[/?&=;]/)).not.toContain('..')
        text = text.replace(/%25/g, '%').replace(/%(2e|2f|5c)/gi, (code) => decodeURIComponent(code))
      }
    }),
    { numRuns: 20_000 },
  )
})

import { describe, expect, it } from 'vitest'
import { patternOf } from './uri-template.ts'

describe('patternOf', () => {
  // As RFC 6570, section 3.2 has them.
  const values = {
    var: 'value',
    hello: 'Hello World!',
    path: '/foo/bar',
    x: '1024',
    y: '768',
    empty: '',
    odd: '\ud800',
  }
  it.each([
    ['file:///open/a', 'file:///open/a'],
    ['{var}', 'value'],
    ['{hello}', 'Hello%20World%21'],
    ['{x,y}', '1024,768'],
    ['{+path}/here', '/foo/bar/here'],
    ['{+hello}', 'Hello%20World!'],
    ['{#path}', '#/foo/bar'],
    ['www{.var}', 'www.value'],
    ['{/var,x}/here', '/value/1024/here'],
    ['{;x,y}', ';x=1024;y=768'],
    ['{?x,y}', '?x=1024&y=768'],
    ['?fixed=yes{&x}', '?fixed=yes&x=1024'],
    ['{path*}', '%2Ffoo%2Fbar'],
    ['{var:30}', 'value'],
    ['a{empty}b', 'ab'],
    ['{odd}', '%EF%BF%BD'],
    ['file:///{unknown}/{var}', 'file:///*/value'],
    ['{/var,unknown}', '*'],
    ['{toString}', '*'],
  ])('%s', (template, pattern) => expect(patternOf(template, values)).toBe(pattern))
})

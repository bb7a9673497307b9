import { describe, expect, test } from 'vitest'
import { compilePattern, type Pattern } from './pattern.ts'
import { cpuMs } from './testing/cpu.ts'

const compiled = (source: string): Pattern => {
  const pattern = compilePattern(source)
  if ('problem' in pattern) throw new Error(pattern.problem)
  return pattern
}

test.each([
  ['(a', 'missing closing )'],
  ['a**', 'invalid nested repetition operator'],
  ['(?=a)', 'invalid or unsupported Perl syntax'],
  ['(?<!a)b', 'invalid'],
  ['(a)\\1', 'invalid escape sequence'],
  ['a{1001}', 'invalid repeat count'],
  ['((a{1,30}){1,30})', 'at most 1000 are run'],
])('%s is refused: %s', (source, said) => {
  const found = compilePattern(source)
  expect('problem' in found && found.problem).toContain(said)
})

test('^ and $ are the whole text, not a line, unless (?m)', () => {
  expect(compiled('^T-[0-9]+$').find('T-1\n')).toBe(false)
  expect(compiled('^T-[0-9]+$').find('x\nT-1')).toBe(false)
  expect(compiled('(?m)^T-[0-9]+$').find('x\nT-1')).toBe(true)
  expect([compiled('a.b').lines, compiled('(?s)a.b').lines, compiled('a\\nb').lines, compiled('(?i)x').lines]).toEqual([
    false,
    true,
    true,
    false,
  ])
})

describe('linear time', () => {
  test.each(['(a+)+$', '^(a|aa)+$', '(a*)*b', '(?:a?){20}a{20}$', '(.*a){10}$', '(a|b)*a(a|b){6}$'])('%s', (source) => {
    const pattern = compiled(source)
    const length = pattern.size <= 16 ? 60_000 : Math.floor((1 << 18) / pattern.size)
    const text = `${'ab'.repeat(length / 2 - 1)}!`
    pattern.find(text)
    const start = cpuMs()
    expect(typeof pattern.find(text)).toBe('boolean')
    // A backtracking engine takes years for these.
    expect(cpuMs() - start).toBeLessThan(500)
  })
  test('a text that is too long for the pattern is not searched', () => {
    expect(compiled('x').find('a'.repeat(65_536))).toBe(false)
    expect(compiled('x').find('a'.repeat(65_537))).toMatchObject({ problem: expect.any(String) })
    expect(compiled('[a-z]{1,250}$').find('a'.repeat(5000))).toMatchObject({ problem: expect.any(String) })
  })
})

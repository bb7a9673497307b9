import { describe, expect, it } from 'vitest'
import type { Logger } from '../../lib/service/log.ts'
import { createStderr, plainLine } from './stderr.ts'

describe('plainLine', () => {
  it('takes out what would act on a terminal', () => {
    expect(plainLine('\u001b[31mred\u001b[0m \u001b]0;title\u0007x\u001b[2J\u001bcy\u202e\r')).toBe('red xy')
  })
  it('cuts what is long', () => {
    expect(plainLine('x'.repeat(5_000))).toMatch(/^x{2000}\.\.\. \(5000 characters\)$/)
  })
})

describe('createStderr', () => {
  it('passes a bounded number of lines a second and counts the rest', () => {
    let time = 1_000
    const said: [object, string][] = []
    const say = (fields: object, message: string) => void said.push([fields, message])
    const log: Logger = { debug: say, info: say, warn: say, error: say, child: () => log }
    const stderr = createStderr({ log, perSecond: 3, now: () => time })
    stderr.feed(Buffer.from('line\n'.repeat(10)))
    time = 2_000
    stderr.feed(Buffer.from('after\n'))
    expect(said.map(([fields]) => fields)).toEqual([
      { line: 'line' },
      { line: 'line' },
      { line: 'line' },
      { lines: 7 },
      { line: 'after' },
    ])
  })
})

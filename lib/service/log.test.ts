import { expect, test } from 'vitest'
import { createLogger } from './log.ts'

const capture = (level?: 'info' | 'error') => {
  const lines: Record<string, unknown>[] = []
  return { lines, log: createLogger({ part: 'test', level, write: (line) => lines.push(JSON.parse(line)) }) }
}

test('a line has its part, level, message and fields', () => {
  const { lines, log } = capture()
  log.child({ agent: 'a' }).info({ calls: 2 }, 'drained')
  expect(lines).toEqual([
    expect.objectContaining({ part: 'test', level: 'info', agent: 'a', calls: 2, msg: 'drained' }),
  ])
})

test.each([
  [{ authorization: 'Bearer x' }],
  [{ headers: { authorization: 'Bearer x' } }],
  [{ request: { token: 'Bearer x' } }],
])('a secret under a known name is never written: %j', (fields) => {
  const { lines, log } = capture()
  log.error(fields, 'failed')
  expect(JSON.stringify(lines)).not.toContain('Bearer x')
})

test('below the level nothing is written', () => {
  const { lines, log } = capture('error')
  log.info({}, 'quiet')
  expect(lines).toEqual([])
})

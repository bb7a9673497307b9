import { expect, test } from 'vitest'
import { fuzzInProcess } from './in-process.ts'
import { fuzz } from './run.ts'

// `npm run fuzz` does the same with a million requests of any seed; this seed never changes, so that a failure here is
// one of what was changed.
const SEED = 4
const COUNT = 20_000

test('the parser and the decision stand any bytes', () => {
  const { problems, parsed, texts } = fuzzInProcess({ seed: SEED, count: COUNT })
  expect(problems).toEqual([])
  // Neither all nor nothing is JSON to the gate.
  expect(parsed).toBeGreaterThan(texts * 0.4)
  expect(parsed).toBeLessThan(texts * 0.95)
}, 60_000)

test('what was decided is what was forwarded, whatever is sent', async () => {
  const report = await fuzz({ seed: SEED, count: COUNT })
  expect(report.problems).toEqual([])
  expect(report.requests).toBe(COUNT)
  expect(report.forwarded).toBeGreaterThan(COUNT * 0.1)
  expect(report.replayed).toBeGreaterThan(COUNT * 0.1)
  const wanted = [
    'answered',
    ...['Draft', 'WaitingForPerson', 'ConstraintError', 'ConstraintFailed', 'DeniedByInvariant', 'NoRuleAllows'],
    ...['LimitReached', 'FieldNotAllowed', 'ToolChanged', 'ArgumentsInvalid', 'AgentFrozen'],
    ...['MalformedRequest', 'UnknownMethod', 'UnknownServer', 'HTTP 400'],
  ]
  expect(wanted.filter((outcome) => !(outcome in report.outcomes))).toEqual([])
}, 180_000)

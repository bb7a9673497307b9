import { expect, test } from 'vitest'
import { close, tallyOf } from './tally.ts'

const report = (over: object = {}) => ({
  numPassedTests: 5,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{}] }],
  ...over,
})

test.each([
  ['all pass', report(), 0, '5 passed, 0 failed', 0],
  ['a test fails', report({ numFailedTests: 2 }), 1, '5 passed, 2 failed', 1],
  [
    'a file does not load',
    report({ testResults: [{ status: 'failed', assertionResults: [] }] }),
    1,
    '5 passed, 1 failed',
    1,
  ],
  ['an error outside of the tests', report(), 1, '5 passed, 1 failed', 1],
  ['a skipped test', report({ numPendingTests: 1 }), 0, '5 passed, 1 failed', 1],
  ['the runner died', undefined, 1, '0 passed, 1 failed', 1],
  ['no test', report({ numPassedTests: 0 }), 0, '0 passed, 0 failed', 1],
])('%s', (_, vitest, exitCode, line, code) => {
  expect(close([tallyOf('unit', vitest, exitCode)])).toEqual({ line, code })
})

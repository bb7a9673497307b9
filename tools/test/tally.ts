/** What one stage came to; a stage that could not even run counts as one failure. */
export interface Tally {
  stage: string
  passed: number
  failed: number
  /** Skipped tests are failures: nothing here may be skipped. */
  skipped: number
}

interface VitestReport {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  /** Files that failed to load have no test that failed. */
  testResults: { status: string; assertionResults: unknown[] }[]
}

export const tallyOf = (stage: string, report: VitestReport | undefined, exitCode: number): Tally => {
  if (!report) return { stage, passed: 0, failed: 1, skipped: 0 }
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && !file.assertionResults.length).length
  const failed = report.numFailedTests + unloaded
  // An error outside of any test fails the run without a test to blame.
  return {
    stage,
    passed: report.numPassedTests,
    failed: exitCode !== 0 && failed === 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/** The closing line and the exit code. No test at all is a failure. */
export const close = (tallies: Tally[]): { line: string; code: number } => {
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0)
  const failed = tallies.reduce((sum, tally) => sum + tally.failed + tally.skipped, 0)
  return { line: `${passed} passed, ${failed} failed`, code: failed === 0 && passed > 0 ? 0 : 1 }
}

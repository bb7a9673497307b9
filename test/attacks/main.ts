/**
 * `npm run bench:attacks [-- SUITE...] [-o FILE]`: plays AgentDojo's tasks and attacks through the gate and holds what
 * comes of it against the targets; exit code 1 when one is missed. `-o` writes the whole report as JSON.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CannotSetUp } from '../../tools/cluster/cluster.ts'
import { defaultProgress } from '../../tools/progress.ts'
import { runTool } from '../../tools/run-tool.ts'
import { playSuite, type SuiteRuns } from './bench.ts'
import { renderReport, reportOf } from './report.ts'
import { ensurePython } from './setup.ts'
import { SUITES, type SuiteName } from './suite.ts'

await runTool(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { output: { type: 'string', short: 'o' } },
  })
  const unknown = positionals.find((name) => !(SUITES as readonly string[]).includes(name))
  if (unknown !== undefined) throw new CannotSetUp(`there is no suite ${unknown}; there is: ${SUITES.join(', ')}`)
  const progress = defaultProgress()
  const python = await ensurePython(progress)
  const runs: SuiteRuns[] = []
  for (const name of positionals.length ? (positionals as SuiteName[]) : SUITES)
    runs.push(await progress.step(`Playing ${name}`, 60, (say) => playSuite(python, name, { say })))
  const report = reportOf(runs)
  console.log(renderReport(report))
  if (values.output) writeFileSync(values.output, `${JSON.stringify(report, null, 2)}\n`)
  return report.ok ? 0 : 1
})

import { join } from 'node:path'
import { houseBreaches } from './checks/house.ts'
import { type Check, type CheckResult, runAll } from './checks/run.ts'

const root = join(import.meta.dirname, '..')
const bin = (name: string) => join(root, 'node_modules', '.bin', name)

const CHECKS: Check[] = [
  { name: 'format and lint (biome)', command: [bin('biome'), 'check', '--error-on-warnings'] },
  { name: 'types and imports (tsc -b)', command: [bin('tsc'), '-b'] },
  { name: 'nothing unused (knip)', command: [bin('knip'), '--no-progress'] },
  { name: 'what is generated', command: [process.execPath, join(root, 'tools', 'gen.ts'), '--check'] },
  { name: 'rules of the house', find: () => houseBreaches(root) },
]

/** All static checks; `npm test` counts each as one test. `done` hears of each as it ends. */
export const runChecks = (done?: (result: CheckResult) => void): Promise<CheckResult[]> => runAll(CHECKS, root, done)

if (import.meta.main) {
  const results = await runChecks(({ name, ok, output }) => {
    process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name}\n${output === '' ? '' : `${output}\n`}`)
  })
  const failed = results.filter(({ ok }) => !ok).length
  process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`)
  process.exitCode = failed === 0 ? 0 : 1
}

/**
 * `npm run test:compat [-- CLIENT...|pods] [--era ERA]`: every released client through the gate, before servers of both
 * eras, and agents in pods. All of them: also writes docs/compat.md. Exit code 1 when something does not come out as it
 * is known to.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CannotSetUp } from '../../tools/cluster/cluster.ts'
import { repoRoot } from '../../tools/cluster/config.ts'
import { defaultProgress } from '../../tools/progress.ts'
import { runTool } from '../../tools/run-tool.ts'
import { ERAS, type Era } from './cases.ts'
import { CLIENTS } from './clients.ts'
import { playMatrix } from './matrix.ts'
import { runPods } from './pods/run.ts'
import { renderBridge, renderMatrix, renderPage, renderPods, surprises } from './report.ts'

const PODS = 'pods'

await runTool(async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { era: { type: 'string' } } })
  const names = [...CLIENTS.map(({ name }) => name), PODS]
  const unknown = positionals.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new CannotSetUp(`there is no client ${unknown}; there is: ${names.join(', ')}`)
  if (values.era !== undefined && !ERAS.includes(values.era as Era))
    throw new CannotSetUp(`there is no era ${values.era}; there is: ${ERAS.join(', ')}`)
  const eras = values.era ? [values.era as Era] : ERAS
  const isWanted = (name: string) => positionals.length === 0 || positionals.includes(name)
  const clients = CLIENTS.filter(({ name }) => isWanted(name))
  const progress = defaultProgress()

  const cells = clients.length ? await playMatrix(clients, eras, progress) : []
  if (cells.length) console.log(renderMatrix(clients, cells))
  const pods = isWanted(PODS)
    ? await runPods(
        CLIENTS.filter(({ pod }) => pod),
        progress,
      )
    : { cells: [], bridge: [] }
  if (pods.cells.length) console.log(`\n${renderPods(pods.cells)}\n\n${renderBridge(pods.bridge)}`)
  const faults = [
    ...surprises(clients, cells),
    ...surprises(CLIENTS, pods.cells).map((fault) => `In a pod: ${fault}`),
    ...pods.bridge
      .filter((cell) => cell.faults.length > 0)
      .map((cell) => `${cell.client}, behind the bridge, ${cell.case}: ${cell.faults.join('; ')}`),
  ]
  for (const fault of faults) console.error(fault)
  if (positionals.length === 0 && eras === ERAS)
    writeFileSync(join(repoRoot, 'docs/compat.md'), renderPage(cells, pods.cells, pods.bridge))
  console.log(
    `\n${cells.length + pods.cells.length + pods.bridge.length - faults.length} passed, ${faults.length} failed`,
  )
  return faults.length === 0 ? 0 : 1
})

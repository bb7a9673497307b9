import type { Progress } from '../../tools/progress.ts'
import { freePorts } from '../harness/ports.ts'
import type { Era } from './cases.ts'
import type { CompatClient } from './clients.ts'
import { openLaptop } from './laptop.ts'
import { type Cell, cellsOf, playRun, type Run, tracesOf } from './play.ts'

/** More at a time only wait for each other on two cores; fewer wait for their slow calls. */
const AT_A_TIME = 6

const runsOf = async (clients: readonly CompatClient[], eras: readonly Era[], progress: Progress): Promise<Run[]> => {
  const runs: Omit<Run, 'server' | 'port'>[] = []
  // One after the other: each installation or build takes the whole machine.
  for (const client of clients) {
    const command = await client.prepare(progress)
    for (const era of eras) runs.push({ client, command, era })
  }
  const ports = await freePorts(runs.length)
  return runs.map((run, index) => ({ ...run, server: `desk-${index}-of-${runs.length}`, port: ports[index]! }))
}

/** Plays these clients before servers of these eras, a few at a time. Environments that are missing are made first. */
export const playMatrix = async (
  clients: readonly CompatClient[],
  eras: readonly Era[],
  progress: Progress,
): Promise<Cell[]> => {
  const runs = await runsOf(clients, eras, progress)
  return progress.step('Playing the clients', runs.length * 10, async (say) => {
    const laptop = await openLaptop(
      Object.fromEntries(runs.map(({ server, port }) => [server, `http://127.0.0.1:${port}/mcp`])),
    )
    try {
      const waiting = [...runs]
      const worker = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          await playRun(next, laptop)
          say(`${runs.length - waiting.length} of ${runs.length}`)
        }
      }
      await Promise.all(Array.from({ length: AT_A_TIME }, worker))
      const record = await laptop.receipts()
      return runs.flatMap((run) => cellsOf(run.client, run.era, tracesOf(run, laptop, record)))
    } finally {
      await laptop.close()
    }
  })
}

import { ensureCluster } from '../../../tools/cluster/cluster.ts'
import { installChart, provideImages } from '../../../tools/deploy/deploy.ts'
import { clusterEnvironment } from '../../../tools/deploy/environment.ts'
import type { Progress } from '../../../tools/progress.ts'
import type { CompatClient } from '../clients.ts'
import type { Cell } from '../play.ts'
import type { BridgeCell } from './bridge-cases.ts'
import { ensurePythonImage, refOf } from './image.ts'
import { agentsImage, sqliteImage } from './images.ts'

/**
 * Plays the agents in pods of a cluster of our own, which is brought up
 * where there is none, and a server behind the bridge.
 */
export const runPods = async (
  clients: readonly CompatClient[],
  progress: Progress,
): Promise<{ cells: Cell[]; bridge: BridgeCell[] }> => {
  const cluster = await ensureCluster({}, progress)
  const agents = await agentsImage(clients, progress)
  const sqlite = await sqliteImage()
  const archives = [await ensurePythonImage(agents, progress), await ensurePythonImage(sqlite, progress)]
  const images = await provideImages(cluster, progress, undefined, ['demo-desk'])
  await installChart(cluster, images, progress)
  await progress.step('Load the images of Python', 20, () => cluster.loadImages(archives))
  // The helpers of the end-to-end tests find their cluster there.
  Object.assign(process.env, clusterEnvironment(cluster), {
    REMIT_TEST_CONTEXT: cluster.context,
    REMIT_TEST_PROVIDER: cluster.provider,
    REMIT_TEST_IMAGES: images.prefix,
  })
  const [{ playPods }, { playBridge }] = await Promise.all([import('./play.ts'), import('./bridge.ts')])
  // The others may have given up by the time the server is killed.
  const patient = clients.filter(({ impatient }) => !impatient)
  const bridge = await progress.step('Playing a server behind the bridge', 150, (say) =>
    playBridge(patient, refOf(agents), refOf(sqlite), say),
  )
  const cells = await progress.step('Playing agents in pods', 300, (say) => playPods(clients, refOf(agents), say))
  return { cells, bridge }
}

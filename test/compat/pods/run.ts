import { ensureCluster } from '../../../tools/cluster/cluster.ts'
import { installChart, provideImages } from '../../../tools/deploy/deploy.ts'
import { clusterEnvironment } from '../../../tools/deploy/environment.ts'
import type { Progress } from '../../../tools/progress.ts'
import type { CompatClient } from '../clients.ts'
import { ensureVenv } from '../envs/python.ts'
import type { PodCell } from './cases.ts'
import { ensurePythonImage } from './image.ts'

/** Plays the agents (whose environments are called as they are) in pods of a cluster of our own, which is brought up where there is none. */
export const runPods = async (clients: readonly CompatClient[], progress: Progress): Promise<PodCell[]> => {
  const environments: Record<string, string> = {}
  for (const { name } of clients) environments[name] = await ensureVenv(name, progress)
  const archive = await ensurePythonImage(environments, progress)
  const cluster = await ensureCluster({}, progress)
  const images = await provideImages(cluster, progress)
  await installChart(cluster, images, progress)
  await progress.step('Load the image of the Python agents', 20, () => cluster.loadImages([archive]))
  // The helpers of the end-to-end tests find their cluster there.
  Object.assign(process.env, clusterEnvironment(cluster), {
    REMIT_TEST_CONTEXT: cluster.context,
    REMIT_TEST_PROVIDER: cluster.provider,
    REMIT_TEST_IMAGES: images.prefix,
  })
  const { playPods } = await import('./play.ts')
  return progress.step('Playing agents in pods', 60, () => playPods(clients))
}

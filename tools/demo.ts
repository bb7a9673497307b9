/** `npm run demo`: sets everything up and runs the main job, telling what it does. */
import { build } from './build/bundles.ts'
import { ensureCluster } from './cluster/cluster.ts'
import { tellClusterStory, WHAT_NEXT } from './demo/cluster-story.ts'
import { tellGateStory } from './demo/gate-story.ts'
import { laterProgress } from './demo/later.ts'
import { createShow } from './demo/show.ts'
import { applyCompany, installChart, provideImages } from './deploy/deploy.ts'
import { clusterEnvironment } from './deploy/environment.ts'
import { clusterOptions } from './options.ts'
import { defaultProgress } from './progress.ts'
import { runTool } from './run-tool.ts'

const write = (text: string) => void process.stdout.write(text)
const progress = laterProgress(defaultProgress())

await runTool(async () => {
  await build()
  const options = clusterOptions()
  const coming = ensureCluster(options, progress)
  // The first story is over long before a cluster is built for the first time; what fails meanwhile is told after it.
  coming.catch(() => {})
  await tellGateStory(write)
  write('\nSo far one machine. Now the same in a cluster, for every agent of two teams.\n\n')
  progress.release()
  const cluster = await coming
  const images = await provideImages(cluster, progress, options.registry)
  await installChart(cluster, images, progress)
  await applyCompany(cluster, images)
  const env = clusterEnvironment(cluster)
  await tellClusterStory(createShow(env, write))
  write(`\n  export KUBECONFIG=${env.KUBECONFIG} PATH=${env.PATH.split(':').slice(0, 2).join(':')}:$PATH\n${WHAT_NEXT}`)
  return 0
})

/** `npm run demo`: sets everything up and runs the main job, telling what it does. */
import { parseArgs } from 'node:util'
import { build } from './build/bundles.ts'
import { ensureCluster } from './cluster/cluster.ts'
import { tellClusterStory, WHAT_NEXT } from './demo/cluster-story.ts'
import { tellGateStory } from './demo/gate-story.ts'
import { laterProgress } from './demo/later.ts'
import { clusterEnvironment } from './deploy/environment.ts'
import { applyCompany, deploy } from './deploy/deploy.ts'
import { createShow } from './demo/show.ts'
import { defaultProgress } from './progress.ts'

const { values } = parseArgs({ options: { context: { type: 'string' }, registry: { type: 'string' }, provider: { type: 'string' } } })
const write = (text: string) => void process.stdout.write(text)

const progress = laterProgress(defaultProgress())
await build()
const coming = ensureCluster(values, progress)
// The first story is over long before a cluster is built for the first time; what fails meanwhile is told after it.
coming.catch(() => {})
await tellGateStory(write)
write('\nSo far one machine. Now the same in a cluster, for every agent of two teams:\n')
progress.release()
const cluster = await coming
await deploy(cluster, progress)
await applyCompany(cluster)
const env = await clusterEnvironment(cluster)
await tellClusterStory(createShow(env, write))
write(`\n  export KUBECONFIG=${cluster.kubeconfig} PATH=${env.PATH?.split(':').slice(0, 2).join(':')}:$PATH\n${WHAT_NEXT}`)

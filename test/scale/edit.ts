import type { ClusterAgentPolicy } from '../../lib/api/gen/types.ts'
import { canonical, sha256hex } from '../../lib/core/canonical.ts'
import type { Client } from '../../lib/kube/client.ts'
import { get, update } from '../../lib/kube/objects.ts'
import { clusterAgentPolicies, typed } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { Figures } from './figures.ts'
import type { Part } from './installation.ts'
import { quiet } from './quiet.ts'
import { patienceMs, type Run, secondsSince } from './run.ts'
import { openStreams } from './streams.ts'
import { byOperator, tally } from './tally.ts'
import { clusterPolicy } from './teams.ts'

/** The digest by which a remit tells that it was compiled from the policy as it is now. */
const editClusterPolicy = async (client: Client): Promise<string> => {
  const kind = typed<ClusterAgentPolicy & KubeObject>(clusterAgentPolicies)
  const edited = clusterPolicy('forbidden_1') as ClusterAgentPolicy & KubeObject
  const { metadata } = await get(client, kind, { name: edited.metadata.name })
  const { spec } = await update(client, kind, { ...edited, metadata })
  return sha256hex(canonical(spec))
}

/** Edits the policy that binds every agent, while sidecars follow their remits. */
export const edit = async (run: Run, operator: Part): Promise<Figures['edit']> => {
  const { options, installation, view, writes } = run
  const streams = await openStreams(installation.apiserver, installation.ledger, options.streams)
  try {
    await quiet(operator.pid, writes, options.quietMs)
    writes.take()
    const start = performance.now()
    const source = await editClusterPolicy(installation.apiserver.client)
    const [last, told] = await Promise.all([
      view.remits(options.agents, patienceMs(run), source),
      streams.told(source, patienceMs(run)),
    ])
    options.say(`an edit in every remit after ${secondsSince(start, last).toFixed(1)} s`)
    await quiet(operator.pid, writes, options.quietMs)
    return {
      remits: secondsSince(start, last),
      told: told.map((moment) => secondsSince(start, moment)),
      writes: tally(byOperator(writes.take())),
    }
  } finally {
    streams.close()
  }
}

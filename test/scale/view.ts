import type { AgentIdentity, AgentRemit } from '../../lib/api/gen/types.ts'
import type { Remit } from '../../lib/api/remit.ts'
import type { Client } from '../../lib/kube/client.ts'
import { createInformer, type Informer } from '../../lib/kube/informer.ts'
import { agentIdentities, agentRemits, type Pod, pods, typed } from '../../lib/kube/resources.ts'
import type { Key, KubeObject, Logger } from '../../lib/kube/types.ts'

type Seen = KubeObject & { good: boolean; source?: string }

/** Ready by its own conditions, for the spec as it is now. */
const isReady = ({ metadata, status }: AgentIdentity): boolean =>
  status?.observedGeneration === metadata.generation &&
  (status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')

const isRunning = ({ status }: Pod): boolean =>
  status?.phase === 'Running' &&
  (status.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True')

/** The digest of the ClusterAgentPolicy that a remit was compiled from. */
export const sourceOf = (remit: Remit): string | undefined =>
  remit.sources.find(({ kind }) => kind === 'ClusterAgentPolicy')?.digest

/** Of each object only what is asked about here: this process watches as much as the operator does. */
const keep = <T extends KubeObject>(judge: (object: T) => Omit<Seen, 'metadata'>) => {
  const trim = (object: T) => {
    const { name, namespace, uid, resourceVersion } = object.metadata
    return { metadata: { name, namespace, uid, resourceVersion }, ...judge(object) }
  }
  return trim as unknown as (object: Seen) => Seen
}

/** What a person would see of the agents, kept by watches of the administrator's. */
export const watchAgents = (client: Client, log: Logger, signal: AbortSignal) => {
  const common = { client, log }
  const agents = createInformer<Seen>({
    ...common,
    kind: typed(agentIdentities),
    transform: keep<KubeObject & AgentIdentity>((object) => ({ good: isReady(object) })),
  })
  const running = createInformer<Seen>({
    ...common,
    kind: typed(pods),
    // Not what each goes through before: that would be half of what this process has to read.
    fieldSelector: 'status.phase=Running',
    transform: keep<Pod>((object) => ({ good: isRunning(object) })),
  })
  const remits = createInformer<Seen>({
    ...common,
    kind: typed(agentRemits),
    transform: keep<KubeObject & AgentRemit>(({ spec }) => ({
      good: true,
      source: sourceOf(spec.remit as unknown as Remit),
    })),
  })
  for (const informer of [agents, running, remits]) void informer.run(signal)

  /** Counts what `judge` accepts; resolves when it is `wanted`. */
  const reached = (informer: Informer<Seen>, wanted: number, judge: (object: Seen) => boolean, timeoutMs: number) => {
    const good = new Set<Key>()
    const ends: (() => void)[] = []
    return new Promise<number>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${good.size} of ${wanted} after ${timeoutMs} ms`)), timeoutMs)
      const stop = informer.onChange(({ key, new: object }) => {
        if (object && judge(object)) good.add(key)
        else good.delete(key)
        if (good.size >= wanted) resolve(performance.now())
      })
      ends.push(stop, () => clearTimeout(late))
    }).finally(() => {
      for (const end of ends) end()
    })
  }
  const isGood = ({ good }: Seen) => good
  return {
    synced: () => Promise.all([agents, running, remits].map((informer) => informer.synced())),
    /** Resolve with the moment (performance.now()) at which as many were seen so. */
    ready: (wanted: number, timeoutMs: number) => reached(agents, wanted, isGood, timeoutMs),
    running: (wanted: number, timeoutMs: number) => reached(running, wanted, isGood, timeoutMs),
    remits: (wanted: number, timeoutMs: number, source?: string) =>
      reached(remits, wanted, (remit) => source === undefined || remit.source === source, timeoutMs),
  }
}

import type { Source } from '../../lib/kube/controller.ts'
import type { Informer } from '../../lib/kube/informer.ts'
import type { Key, KubeObject } from '../../lib/kube/types.ts'
import type { Caches } from '../caches.ts'

export interface Ahead {
  /** Remembers what the API server answered to writes about an agent. */
  wrote(agent: Key, objects: KubeObject[]): void
  /** Milliseconds that an agent is better left alone, because a cache does not show yet what was written; else 0. */
  behindFor(agent: Key): number
  /** Follows the caches; names no keys. */
  source: Source
}

/** A watch that is this late is no reason to leave an agent alone any longer. */
const PATIENCE_MS = 5_000

const versionOf = ({ metadata: { uid, resourceVersion } }: KubeObject) => `${uid}/${resourceVersion}`

/**
 * How far what was written is ahead of the caches. Who decides on a cache that is behind writes the same again, or makes
 * what is there already. The event that brings the last of it names the agent anyway.
 */
export const createAhead = (caches: Caches, now: () => number): Ahead => {
  const informers = [
    caches.agents,
    caches.accounts,
    caches.fences,
    caches.remits,
    caches.pods,
  ] as unknown as Informer<KubeObject>[]
  const agents = new Map<Key, { until: number; versions: Set<string> }>()
  const expected = new Map<string, Key>()

  const seen = (version: string) => {
    const agent = expected.get(version)
    if (agent === undefined) return
    expected.delete(version)
    const waiting = agents.get(agent)
    waiting?.versions.delete(version)
    if (waiting?.versions.size === 0) agents.delete(agent)
  }
  return {
    wrote: (agent, objects) => {
      const isShown = (object: KubeObject) => {
        const key = `${object.metadata.namespace}/${object.metadata.name}`
        return informers.some(({ cache }) => {
          const cached = cache.get(key)
          return cached !== undefined && versionOf(cached) === versionOf(object)
        })
      }
      const missing = objects.filter((object) => !isShown(object)).map(versionOf)
      if (missing.length === 0) return
      for (const version of missing) expected.set(version, agent)
      const versions = new Set([...(agents.get(agent)?.versions ?? []), ...missing])
      agents.set(agent, { until: now() + PATIENCE_MS, versions })
    },
    behindFor: (agent) => {
      const waiting = agents.get(agent)
      if (!waiting) return 0
      const left = waiting.until - now()
      if (left > 0) return left
      for (const version of waiting.versions) seen(version)
      return 0
    },
    source: {
      synced: async () => {},
      start: () => {
        const ends = informers.map((informer) =>
          informer.onChange(({ new: object }) => {
            if (object) seen(versionOf(object))
          }),
        )
        return () => {
          for (const end of ends) end()
        }
      },
    },
  }
}

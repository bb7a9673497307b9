import type { ConfigMap } from '../../../lib/kube/resources.ts'
import type { Change } from '../../../lib/kube/store.ts'
import type { ChangeMade } from './writer.ts'

/** What handlers and reconciles came to know, held against what was written. */
export interface Ear {
  wrote: (change: ChangeMade) => void
  /** A handler was told. */
  told: (change: Change<ConfigMap>) => void
  /** A reconcile has seen the object so (undefined: there is none); gives milliseconds since each change it covers. */
  reconciled: (name: string, object: ConfigMap | undefined) => void
  /** Milliseconds from the API server's answer to the reconcile, of the changes since this was asked before. */
  takeLatencies: () => number[]
  /** Changes no reconcile has seen or seen past. */
  outstanding: () => number
  /** Names whose last state no handler was told. */
  untold: () => string[]
  /** How often a handler was told of an older version after a newer. */
  wentBack: () => number
}

const versionOf = (object: ConfigMap) => Number(object.metadata.resourceVersion)
const numberOf = (object: ConfigMap | undefined) => (object ? Number(object.data?.n) : undefined)

export const createEar = (): Ear => {
  const waiting = new Map<string, ChangeMade[]>()
  const last = new Map<string, ChangeMade>()
  const heard = new Map<string, number | undefined>()
  const newest = new Map<string, number>()
  const latencies: number[] = []
  let back = 0
  /** Made and gone again between two looks: there is nothing to tell to who never knew of it. */
  const isKnown = (name: string, queue: ChangeMade[] = []) =>
    queue.at(-1)?.gone === true && heard.get(name) === undefined
  return {
    wrote: (change) => {
      last.set(change.name, change)
      const queue = waiting.get(change.name)
      if (isKnown(change.name, queue)) queue!.length = 0
      if (queue) queue.push(change)
      else waiting.set(change.name, [change])
    },
    told: ({ old, new: object }) => {
      const { name } = (object ?? old)!.metadata
      heard.set(name, numberOf(object))
      if (!object) return
      if (versionOf(object) < (newest.get(name) ?? 0)) back++
      newest.set(name, Math.max(versionOf(object), newest.get(name) ?? 0))
    },
    reconciled: (name, object) => {
      const queue = waiting.get(name)
      if (!queue) return
      const n = numberOf(object)
      const seen = queue.findLastIndex((change) => (n === undefined ? change.gone : change.n === n))
      const now = performance.now()
      for (const { at } of queue.splice(0, seen + 1)) latencies.push(Math.max(0, now - at))
      if (queue.length === 0) waiting.delete(name)
    },
    takeLatencies: () => latencies.splice(0),
    outstanding: () =>
      [...waiting].reduce((sum, [name, queue]) => (isKnown(name, queue) ? sum : sum + queue.length), 0),
    untold: () =>
      [...last.values()]
        .filter(({ name, n, gone }) => heard.get(name) !== (gone ? undefined : n))
        .map(({ name }) => name),
    wentBack: () => back,
  }
}

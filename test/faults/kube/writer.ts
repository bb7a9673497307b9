import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '../../../lib/kube/client.ts'
import { create, remove, update } from '../../../lib/kube/objects.ts'
import { configMaps } from '../../../lib/kube/resources.ts'
import { type Random, random } from '../../fuzz/random.ts'

/** One change of one ConfigMap. */
export interface ChangeMade {
  name: string
  /** Grows over all changes; the ConfigMap's `data.n`. */
  n: number
  gone: boolean
  /** When the API server had answered, by performance.now(); infinite until then. */
  at: number
}

export interface WriterOptions {
  client: Client
  namespace: string
  seed: number
  writers: number
  /** ConfigMaps of one writer: it alone changes them, so that they change in its order. */
  each: number
  /** Told before the request is sent. */
  onChange: (change: ChangeMade) => void
}

const sizes = [10, 10, 10, 200, 2_000]

/** Creates, updates and deletes ConfigMaps beside the proxy, in bursts and pauses that the seed fixes. */
export const createWriters = (options: WriterOptions) => {
  const { client, namespace, seed, writers, each, onChange } = options
  const randoms = Array.from({ length: writers }, (_, writer) => random(seed, writer))
  const there = new Set<string>()
  let n = 0

  const changeOne = async (choose: Random, writer: number) => {
    const name = `map-${writer}-${choose.below(each)}`
    const exists = there.has(name)
    const gone = exists && choose.chance(0.2)
    const change: ChangeMade = { name, n: ++n, gone, at: Number.POSITIVE_INFINITY }
    onChange(change)
    if (gone) {
      await remove(client, configMaps, { namespace, name })
      there.delete(name)
    } else {
      const data = { n: String(change.n), padding: 'x'.repeat(choose.pick(sizes)) }
      const object = { metadata: { namespace, name }, data }
      await (exists ? update(client, configMaps, object) : create(client, configMaps, object))
      there.add(name)
    }
    change.at = performance.now()
  }

  return {
    /** ConfigMaps that must exist now. */
    there,
    /** Makes so many changes, each writer its share; resolves when the API server has answered all. */
    make: async (changes: number): Promise<void> => {
      let left = changes
      await Promise.all(
        randoms.map(async (choose, writer) => {
          while (left > 0) {
            for (let burst = 1 + choose.below(choose.chance(0.1) ? 100 : 8); burst > 0 && left > 0; burst--) {
              left--
              await changeOne(choose, writer)
            }
            await pause(choose.below(15))
          }
        }),
      )
    },
  }
}

import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SignedRemit } from '../../lib/api/remit.ts'
import { sha256hex } from '../../lib/core/canonical.ts'
import type { Logger } from '../../lib/service/log.ts'
import { replaceFiles } from './files.ts'

/** What is remembered of the agent of one name, across restarts of the ledger. */
interface Held {
  namespace: string
  agent: string
  /** UID of the AgentIdentity. */
  id: string
  /** The highest seen of this UID. */
  generation: number
  epoch: number
  /** Absent once the AgentRemit is gone. */
  signed?: SignedRemit
  /** UIDs that bore the name before; they never come back. */
  former: string[]
}
export interface Remits {
  /** Takes what the API server holds; false when it is older than what was seen or not of this name. */
  offer(namespace: string, agent: string, signed: SignedRemit): boolean
  /** The AgentRemit is gone. */
  withdraw(namespace: string, agent: string): void
  current(namespace: string, agent: string): SignedRemit | undefined
  /** UID of the agent that bears this name, or bore it last. */
  idOf(namespace: string, agent: string): string | undefined
  /** All names that have a remit, as namespace/agent. */
  names(): string[]
  subscribe(namespace: string, agent: string, listener: (signed: SignedRemit) => void): () => void
  /** Resolves when what was taken so far is on disk and told. */
  settled(): Promise<void>
}

const MAX_FORMER = 32
/** Kept on disk together: the more, the fewer waits for the disk; the fewer, the sooner the first is told. */
const TOGETHER = 64
const keyOf = (namespace: string, agent: string) => `${namespace}/${agent}`
const fileOf = (namespace: string, agent: string) => `${sha256hex(keyOf(namespace, agent))}.json`

const load = (dir: string): Map<string, Held> => {
  mkdirSync(dir, { recursive: true })
  const held = readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(dir, name), 'utf8')) as Held)
  return new Map(held.map((h) => [keyOf(h.namespace, h.agent), h]))
}

const refusal = (known: Held | undefined, { remit }: SignedRemit): string | undefined => {
  if (known?.former.includes(remit.agent.id)) return 'of an agent that is gone'
  if (known?.id !== remit.agent.id) return undefined
  if (remit.generation < known.generation) return 'of a lower generation'
  if (remit.epoch < known.epoch) return 'of a lower epoch'
  return undefined
}

const next = (namespace: string, agent: string, signed: SignedRemit, known: Held | undefined): Held => {
  const { id } = signed.remit.agent
  const { generation, epoch } = signed.remit
  const former = !known || known.id === id ? (known?.former ?? []) : [...known.former, known.id].slice(-MAX_FORMER)
  return { namespace, agent, id, generation, epoch, signed, former }
}

/**
 * The remits in force, by agent. The highest generation and epoch seen are on disk before anything is streamed, so
 * neither a restart nor a restored backup of the cluster brings an older remit back to a sidecar. A policy's edit brings
 * thousands at once: they go to disk beside each other, and receipts are taken meanwhile.
 */
export const openRemits = (options: { dir: string; log: Logger }): Remits => {
  const { dir, log } = options
  /** As taken, and as told: the second follows when the disk has it. */
  const taken = load(dir)
  const told = new Map(taken)
  const waiting = new Map<string, { held: Held; tell?: SignedRemit }>()
  const listeners = new Map<string, Set<(signed: SignedRemit) => void>>()
  let writing: Promise<void> | undefined

  const writeAll = async () => {
    while (waiting.size > 0) {
      const batch = [...waiting].slice(0, TOGETHER)
      for (const [key] of batch) waiting.delete(key)
      const files = batch.map(([, { held }]) => [fileOf(held.namespace, held.agent), JSON.stringify(held)] as const)
      // A revocation must reach the sidecar even when the disk is full.
      for (const { name, error } of await replaceFiles(dir, files))
        log.error({ err: error, file: name }, 'remit not kept on disk')
      for (const [key, { held, tell }] of batch) {
        told.set(key, held)
        if (tell) for (const listener of listeners.get(key) ?? []) listener(tell)
      }
    }
  }
  const keep = (key: string, held: Held, tell?: SignedRemit) => {
    taken.set(key, held)
    waiting.set(key, { held, tell })
    writing ??= writeAll()
      .catch((error) => log.error({ err: error }, 'a remit was not told'))
      .finally(() => {
        writing = undefined
      })
  }
  return {
    offer: (namespace, agent, signed) => {
      const key = keyOf(namespace, agent)
      const known = taken.get(key)
      const named = signed.remit.agent.namespace === namespace && signed.remit.agent.name === agent
      const refused = named ? refusal(known, signed) : 'of another name'
      if (refused) {
        log.error(
          { namespace, agent, refused, generation: signed.remit.generation, epoch: signed.remit.epoch },
          'remit not passed on',
        )
        return false
      }
      // As it was read from disk and as it came from the API server it is the same: one copy is enough.
      if (known?.signed?.signature === signed.signature) known.signed = signed
      else keep(key, next(namespace, agent, signed, known), signed)
      return true
    },
    withdraw: (namespace, agent) => {
      const key = keyOf(namespace, agent)
      const known = taken.get(key)
      if (!known?.signed) return
      const { signed: _, ...rest } = known
      // What was signed last may have taken authority away: it is told though it is gone.
      keep(key, rest, waiting.get(key)?.tell)
    },
    current: (namespace, agent) => told.get(keyOf(namespace, agent))?.signed,
    idOf: (namespace, agent) => told.get(keyOf(namespace, agent))?.id,
    names: () => [...taken].flatMap(([key, held]) => (held.signed ? [key] : [])),
    subscribe: (namespace, agent, listener) => {
      const key = keyOf(namespace, agent)
      const set = listeners.get(key) ?? new Set()
      listeners.set(key, set.add(listener))
      return () => {
        set.delete(listener)
        if (!set.size && listeners.get(key) === set) listeners.delete(key)
      }
    },
    settled: async () => {
      await writing
    },
  }
}

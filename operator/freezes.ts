import type { Freeze } from '../lib/api/gen/types.ts'
import { type Clock, sleep } from '../lib/kube/clock.ts'
import type { Logger } from '../lib/kube/types.ts'

/** What the ledger said last about who was ever frozen. */
export interface Freezes {
  get(agentId: string): Freeze | undefined
  /** Takes an answer of the ledger; tells listeners the agents about whom it says something new. */
  take(answer: Map<string, Freeze>): void
  /** Returns how to stop. */
  onChange(listener: (agentIds: string[]) => void): () => void
}

/** As the status's schema has it: what is not would only be refused there, with all the rest of the status. */
const isFreeze = (value: unknown): value is Freeze => {
  const { at, policy, detail } = (value ?? {}) as Partial<Freeze>
  return (
    typeof at === 'string' &&
    !Number.isNaN(Date.parse(at)) &&
    typeof policy === 'string' &&
    policy.length <= 512 &&
    typeof detail === 'string' &&
    detail.length <= 2_048
  )
}

/** The answer to GET /v1/frozen; an entry that is not as the wire says is left out. @throws Error when it is no answer */
export const parseFreezes = (value: unknown): Map<string, Freeze> => {
  const agents = (value as { agents?: unknown } | null)?.agents
  if (typeof agents !== 'object' || agents === null) throw new Error('the ledger answered no freezes')
  const good = Object.entries(agents).flatMap(([id, each]) =>
    isFreeze(each) ? [[id, { at: each.at, policy: each.policy, detail: each.detail }] as const] : [],
  )
  return new Map(good)
}

export const createFreezes = (): Freezes => {
  const known = new Map<string, Freeze>()
  const listeners = new Set<(agentIds: string[]) => void>()
  return {
    get: (agentId) => known.get(agentId),
    take: (answer) => {
      const changed = [...answer].filter(([id, freeze]) => known.get(id)?.at !== freeze.at).map(([id]) => id)
      // An answer without one that was known is a ledger that has lost it, not an agent that is free.
      for (const [id, freeze] of answer) known.set(id, freeze)
      if (changed.length > 0) for (const listener of listeners) listener(changed)
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/**
 * Asks the ledger every `everyMs`, which is how long a freeze stays unseen in a status. It is in force at once: the
 * sidecar does not wait for it.
 */
export const runFreezes = async (
  options: {
    freezes: Freezes
    log: Logger
    clock: Clock
    everyMs: number
    fetch: (signal: AbortSignal) => Promise<unknown>
  },
  signal: AbortSignal,
): Promise<void> => {
  const { freezes, log, clock, everyMs } = options
  let failing = false
  while (!signal.aborted) {
    try {
      freezes.take(parseFreezes(await options.fetch(signal)))
      failing = false
    } catch (error) {
      if (!signal.aborted && !failing) log.warn({ err: error }, 'freezes not known; what was seen last stands')
      failing = true
    }
    await sleep(clock, everyMs, signal)
  }
}

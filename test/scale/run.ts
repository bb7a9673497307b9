import type { Installation } from './installation.ts'
import type { takeMetrics } from './metrics.ts'
import type { Writes } from './quiet.ts'
import type { Team } from './teams.ts'
import type { watchMemory } from './usage.ts'
import type { watchAgents } from './view.ts'

export interface ScaleOptions {
  agents: number
  namespaces: number
  /** Sidecars that follow their remit at the ledger while a policy is edited. */
  streams: number
  seed: number
  /** How often the operator that starts over compares its caches with full lists, instead of every ten minutes. */
  relistSeconds: number
  /** Nothing written and nothing done for as long is the end of it. */
  quietMs: number
  say: (line: string) => void
  /** A folder for CPU profiles of the parts. */
  profiles?: string
}

/** One run: what is installed, what is made in it, and what it is looked at with. */
export interface Run {
  options: ScaleOptions
  installation: Installation
  teams: Team[]
  view: ReturnType<typeof watchAgents>
  writes: Writes
  metrics: Awaited<ReturnType<typeof takeMetrics>>
  memory: ReturnType<typeof watchMemory>
}

/** Longest that one thing is waited for: far beyond any bar, so that a slow run still tells its figures. */
export const patienceMs = ({ options }: Run): number => 60_000 + options.agents * 400
export const secondsSince = (moment: number, until = performance.now()): number => (until - moment) / 1_000

/** Requests of the people who make agents, under way at a time. */
const AT_ONCE = 8

/** All done, some at a time, in their order. */
export const inTurns = async <T>(items: T[], work: (item: T) => Promise<unknown>): Promise<void> => {
  const rest = items.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of rest) await work(item)
    }),
  )
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Receipt } from '../../../lib/api/receipt.ts'
import { verifyReceipts } from '../../../lib/core/chain.ts'
import type { Client } from '../../../lib/kube/client.ts'
import { random } from '../../fuzz/random.ts'
import { eventually } from '../../harness/eventually.ts'
import { startFaultProxy } from '../../harness/fault-proxy.ts'
import { createAuthority } from '../../harness/pki.ts'
import { SYSTEM, startWorld, type World } from '../../ledger/world.ts'
import { heldMiB } from '../heap.ts'
import { type End, startEnd } from './end.ts'
import { type Episode, episodes } from './episodes.ts'

export interface LedgerOptions {
  seed: number
  /** Names of episodes for each sidecar; all of them, each in its own order, when a number of sidecars is given. */
  sidecars: number | string[][]
  /** Calls of one sidecar a second; each is two receipts. */
  callsPerSecond: number
  say?: (line: string) => void
}
/** Milliseconds from the end of an episode until all was as if it had not been. */
export interface Recovery {
  name: string
  silent: boolean
  /** Until a remit written during the episode was in force. */
  remitMs: number
  /** Until the ledger had acknowledged what was recorded until then. */
  receiptsMs: number
}
export interface LedgerReport {
  receipts: number
  /** Receipts the ledger does not have, has twice, or has in a chain that does not hold. */
  lost: number
  doubled: number
  recoveries: Recovery[]
  heldMiB: [first: number, last: number]
  problems: string[]
}

/** What nothing recovers from. */
const LATEST_MS = 90_000
const NAME = `remit-ledger.${SYSTEM}.svc`

/** All receipts of one agent, as people get them. */
export const receiptsOf = async (client: Client, namespace: string, agent: string): Promise<Receipt[]> => {
  const path = `/apis/evidence.remit.dev/v1alpha1/namespaces/${namespace}/receipts`
  const receipts: Receipt[] = []
  let next: string | undefined
  do {
    const query = { labelSelector: `remit.dev/agent=${agent}`, limit: 1_000, continue: next }
    const page = await eventually(
      () => client.request<{ items: Receipt[]; metadata: { continue?: string } }>('GET', path, { query }),
      { timeoutMs: 60_000, what: 'evidence served' },
    )
    receipts.push(...page.items.map(({ envelope, body }) => ({ envelope, body })))
    next = page.metadata.continue
  } while (next)
  return receipts
}

/** Holds what the ledger has against what the sidecar recorded. */
const judge = async (world: World, end: End) => {
  const { namespace, name } = end.agent
  const kept = (await receiptsOf(world.apiserver.client, namespace, name)).filter(
    ({ envelope }) => envelope.incarnation === end.incarnation,
  )
  const seqs = new Set(kept.map(({ envelope }) => envelope.seq))
  const recorded = end.lastSeq() + 1
  const lost = Array.from({ length: recorded }, (_, seq) => seq).filter((seq) => !seqs.has(seq))
  const chain = verifyReceipts(kept)
  const problems = chain.ok ? [] : [`${name}: the chain does not hold at ${chain.at}: ${chain.why}`]
  if (lost.length) problems.push(`${name}: of ${recorded} receipts the ledger has not: ${lost.slice(0, 10).join(', ')}`)
  return { recorded, lost: lost.length, doubled: kept.length - seqs.size, problems }
}

/** A real ledger, and sidecars' ends that record calls while the wire between them goes through every kind of bad time. */
export const runLedger = async ({
  seed,
  sidecars,
  callsPerSecond,
  say = () => {},
}: LedgerOptions): Promise<LedgerReport> => {
  const dir = mkdtempSync(join(tmpdir(), 'remit-faults-'))
  const world = await startWorld()
  const steps: (() => Promise<unknown>)[] = []
  try {
    await world.ledger.start()
    const between = await createAuthority('between')
    const serving = await between.issue(NAME, { names: [NAME] })
    const plans = typeof sidecars === 'number' ? Array.from({ length: sidecars }, () => undefined) : sidecars
    const working = new AbortController()
    const recoveries: Recovery[] = []
    const problems: string[] = []

    const endure = async (end: End, generation: number, episode: Episode, undo: () => void) => {
      await pause(episode.lastsMs / 2)
      await world.putRemit(end.agent, generation)
      await pause(episode.lastsMs / 2)
      undo()
      const began = performance.now()
      const since = () => performance.now() - began
      const late = AbortSignal.timeout(LATEST_MS)
      const remit = eventually(() => end.generation() >= generation, { timeoutMs: LATEST_MS, everyMs: 20 }).then(since)
      const receipts = end.drained(late).then(since)
      const { name, silent } = episode
      const [remitMs, receiptsMs] = await Promise.all([remit.catch(() => LATEST_MS), receipts])
      recoveries.push({ name, silent, remitMs, receiptsMs })
      say(`${end.agent.name}: ${name}: remit ${remitMs.toFixed(0)} ms, receipts ${receiptsMs.toFixed(0)} ms after it`)
      if (remitMs >= LATEST_MS || receiptsMs >= LATEST_MS) problems.push(`${name}: not over after ${LATEST_MS} ms`)
    }
    const ends = await Promise.all(
      plans.map(async (names, index) => {
        const agent = await world.agent('faults', `bot-${index}`)
        await world.putRemit(agent, 1)
        const upstream = `https://127.0.0.1:${world.port}`
        const proxy = await startFaultProxy({ upstream, serving, ca: world.caOfLedger })
        steps.push(proxy.stop)
        const end = await startEnd({
          agent,
          dir: join(dir, agent.name),
          url: proxy.url,
          name: NAME,
          ca: between.cert,
          cluster: 'test',
          anchors: [world.anchor],
        })
        steps.push(end.close)
        await eventually(() => end.generation() === 1, { timeoutMs: 20_000, what: 'the first remit' })
        const all = episodes(random(seed, index))
        const plan = names ? names.map((name) => all.find((episode) => episode.name === name)!) : all
        const run = async () => {
          for (const [at, episode] of plan.entries()) await endure(end, at + 2, episode, episode.begin(proxy))
        }
        return { end, run }
      }),
    )
    const works = ends.map(({ end }) => end.work(callsPerSecond, working.signal))
    const first = heldMiB()
    await Promise.all(ends.map(({ run }) => run()))
    const last = heldMiB()
    working.abort()
    await Promise.all(works)
    // A remit that has just come into force may still be on its way to the disk: what is recorded has to stand still.
    for (const { end } of ends) {
      for (let seq = -1; seq !== end.lastSeq(); await pause(500)) {
        seq = end.lastSeq()
        await end.drained(AbortSignal.timeout(LATEST_MS))
      }
    }
    const verdicts = await Promise.all(ends.map(({ end }) => judge(world, end)))
    const sum = (of: (verdict: (typeof verdicts)[number]) => number) =>
      verdicts.reduce((total, each) => total + of(each), 0)
    return {
      receipts: sum(({ recorded }) => recorded),
      lost: sum(({ lost }) => lost),
      doubled: sum(({ doubled }) => doubled),
      recoveries,
      heldMiB: [first, last],
      problems: [...problems, ...verdicts.flatMap((verdict) => verdict.problems)],
    }
  } finally {
    for (const step of steps.reverse()) await step()
    await world.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

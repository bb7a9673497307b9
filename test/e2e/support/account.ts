import type { Receipt } from '../../../lib/api/receipt.ts'
import { eventually } from '../../harness/eventually.ts'
import { journalOf, traceIdOf } from './billing.ts'
import { chainFaults, intentsIn, orphansIn, receiptName, receiptsOf, resultsIn } from './receipts.ts'

/** What does not agree between the world outside and the record; all empty when nothing was lost, doubled or unrecorded. */
export interface Disagreements {
  /** Gaps and doubles of the chains. */
  chain: string[]
  /** Calls the server was given without an intent that allowed them. */
  unrecorded: string[]
  /** Calls the server was given more than once for one intent. */
  doubled: string[]
  /** Intents told as done that never reached the server. */
  invented: string[]
  /** Allowed intents with no end, or with more than one. */
  openEnded: string[]
}

const compare = (receipts: Receipt[], journal: string[]): Disagreements => {
  const allowed = intentsIn(receipts).filter(({ body }) => body.decision.effect === 'Allow')
  const byTrace = new Map(allowed.map((intent) => [intent.body.trace?.traceId ?? '', intent]))
  const given = new Map<string, number>()
  for (const trace of journal) given.set(trace, (given.get(trace) ?? 0) + 1)
  const results = resultsIn(receipts)
  const ends = new Map<string, number>()
  for (const { body } of [...results, ...orphansIn(receipts)]) ends.set(body.intent, (ends.get(body.intent) ?? 0) + 1)
  const done = new Set(results.filter(({ body }) => body.outcome === 'ok').map(({ body }) => body.intent))
  return {
    chain: chainFaults(receipts),
    unrecorded: journal.filter((trace) => !byTrace.has(trace)),
    doubled: [...given].filter(([, count]) => count > 1).map(([trace]) => trace),
    invented: allowed
      .filter(({ envelope, body }) => done.has(receiptName(envelope)) && !given.has(body.trace?.traceId ?? ''))
      .map(({ envelope }) => receiptName(envelope)),
    openEnded: allowed.map(({ envelope }) => receiptName(envelope)).filter((name) => ends.get(name) !== 1),
  }
}

export const NONE: Disagreements = { chain: [], unrecorded: [], doubled: [], invented: [], openEnded: [] }

/**
 * Compares the server's own journal with the record of one agent that has stopped calling, once the record has caught
 * up: it may lag behind, but must agree in the end.
 */
export const agreement = async (namespace: string, agent: string, timeoutMs = 30_000): Promise<Disagreements> => {
  let last = NONE
  const journal = (await journalOf(namespace)).map(traceIdOf)
  await eventually(
    async () => {
      last = compare(await receiptsOf(namespace, agent), journal)
      return Object.values(last).every((list: string[]) => list.length === 0)
    },
    { timeoutMs, everyMs: 500, what: 'record and world agree' },
  ).catch(() => {})
  return last
}

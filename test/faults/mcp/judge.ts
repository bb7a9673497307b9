import type { IntentBody, Receipt, ResultBody } from '../../../lib/api/receipt.ts'
import { receiptName } from '../../../lib/api/receipt.ts'
import { sha256hex } from '../../../lib/core/canonical.ts'
import { verifyReceipts } from '../../../lib/core/chain.ts'
import type { Call } from './agent.ts'
import type { Done } from './desk.ts'
import { count, type Tally } from './trouble.ts'

/** What the clients, the record and the servers say, which has to be the same. */
export interface Evidence {
  calls: Call[]
  receipts: Receipt[]
  /** By name of the server. */
  done: Record<string, Done[]>
}

export interface Verdict {
  /** Outcomes in the record, of calls that were done and of those that were not. */
  outcomes: Tally
  problems: string[]
}

/** What the record says when it is sure that nothing was done. */
const isNothing = ({ outcome, text = '' }: ResultBody): boolean =>
  outcome === 'error' || (outcome === 'unreachable' && !text.includes('took effect is unknown'))

type Recorded = { intent: IntentBody; at: number; results: ResultBody[] }

/** Why one call's three stories do not agree; undefined when they do. */
const disagreement = ({ came, text }: Call, recorded: Recorded[], done: Done[]): string | undefined => {
  const [one] = recorded
  if (text.startsWith('another answer')) return text
  if (recorded.length > 1) return `${recorded.length} intents`
  if (done.length > 1) return `done ${done.length} times`
  if (!one) return done.length || came === 'answered' || came === 'denied' ? 'not in the record' : undefined
  const { intent, results } = one
  if (intent.decision.effect !== 'Allow') {
    if (done.length) return 'done though denied'
    if (results.length) return 'denied, and has a result'
    return came === 'answered' ? 'answered though denied' : undefined
  }
  if (came === 'denied') return 'told to be denied and allowed in the record'
  if (results.length !== 1) return `${results.length} results`
  const result = results[0]!
  if (done[0] && done[0].at < one.at) return 'done before its intent'
  if (done.length && isNothing(result)) return `done, and the record says ${result.outcome}: ${result.text}`
  if (!done.length && result.outcome === 'ok') return 'not done, and the record says ok'
  if (came === 'answered' && result.outcome !== 'ok') return `answered, and the record says ${result.outcome}`
  return undefined
}

const keyOf = (server: string, digest: string) => `${server} ${digest}`

/** Holds what agents were told and what the record says against what servers did. */
export const judgeCalls = ({ calls, receipts, done }: Evidence): Verdict => {
  const problems: string[] = []
  const outcomes: Tally = {}
  const chain = verifyReceipts(receipts)
  if (!chain.ok) problems.push(`the chain does not hold at ${chain.at}: ${chain.why}`)

  const results = new Map<string, ResultBody[]>()
  for (const { body } of receipts)
    if (body.kind === 'result') results.set(body.intent, [...(results.get(body.intent) ?? []), body])
  const intents = new Map<string, Recorded[]>()
  for (const { envelope, body } of receipts) {
    if (body.kind !== 'intent' || body.call.type !== 'tool') continue
    const key = keyOf(body.call.server, body.call.argumentsDigest)
    const recorded = { intent: body, at: Date.parse(envelope.time), results: results.get(receiptName(envelope)) ?? [] }
    intents.set(key, [...(intents.get(key) ?? []), recorded])
  }
  const works = new Map<string, Done[]>()
  for (const [server, lines] of Object.entries(done))
    for (const line of lines) {
      const key = keyOf(server, line.id)
      works.set(key, [...(works.get(key) ?? []), line])
    }

  for (const each of calls) {
    const { server, tool, arguments: args } = each
    const byDigest = keyOf(server, sha256hex(JSON.stringify(args)))
    const byId = keyOf(server, args.id)
    const recorded = intents.get(byDigest) ?? []
    const made = works.get(byId) ?? []
    const why = disagreement(each, recorded, made)
    if (why !== undefined) problems.push(`${tool} ${args.id} at ${server}, ${each.came}: ${why}`)
    const [one] = recorded
    const outcome = one ? (one.results[0]?.outcome ?? one.intent.decision.effect) : 'never arrived'
    count(outcomes, `${outcome}, ${made.length ? 'done' : 'not done'}`)
    intents.delete(byDigest)
    works.delete(byId)
  }
  for (const key of intents.keys()) problems.push(`in the record, and nobody asked: ${key}`)
  for (const key of works.keys()) problems.push(`done, and nobody asked: ${key}`)
  return { outcomes, problems }
}

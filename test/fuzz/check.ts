import { type Assessment, assess } from '../../lib/core/decide.ts'
import { newHistory } from '../../lib/core/history/history.ts'
import type { PreparedRemit } from '../../lib/core/prepare.ts'
import type { Json } from '../../lib/core/strict.ts'
import { LIMITS, READS_OBJECT } from './policy.ts'
import type { Record, Recorded } from './receipts.ts'
import type { Forwarded } from './upstream.ts'

const nameOf = ({ call }: Recorded): string => `${call.server}/${call.tool}`
const told = ({ name, call, intent }: Recorded): string =>
  `receipt ${name}: ${intent.decision.effect} ${intent.decision.code ?? ''} ${call.server}/${call.tool} ${JSON.stringify(call.arguments ?? null).slice(0, 400)}`

/** What a call allowed is what went out, once, and nothing else did. */
export const compareForwarded = ({ calls }: Record, forwarded: Forwarded[]): string[] => {
  const problems: string[] = []
  const byTrace = new Map<string, Forwarded[]>()
  // The gate's own reads of objects are no calls of the agent; the policy gives it none of this tool.
  for (const each of forwarded.filter(({ tool }) => tool !== READS_OBJECT))
    byTrace.set(each.traceId, [...(byTrace.get(each.traceId) ?? []), each])
  for (const recorded of calls) {
    const { call, intent } = recorded
    const sent = byTrace.get(intent.trace?.traceId ?? '') ?? []
    byTrace.delete(intent.trace?.traceId ?? '')
    const wanted = intent.decision.effect === 'Allow' ? 1 : 0
    if (sent.length !== wanted) problems.push(`forwarded ${sent.length} times, not ${wanted}: ${told(recorded)}`)
    for (const { server, tool, digest } of sent.slice(0, wanted)) {
      if (server !== call.server || tool !== call.tool) problems.push(`went to ${server}/${tool}: ${told(recorded)}`)
      if (call.salted ? digest === call.argumentsDigest : digest !== call.argumentsDigest)
        problems.push(`the server got other arguments: ${told(recorded)}`)
    }
  }
  for (const [each] of byTrace.values())
    problems.push(`forwarded without a receipt: ${each!.server}/${each!.tool} ${each!.arguments.slice(0, 400)}`)
  return problems
}

/**
 * Decides every recorded call again. Where the past has a say, what came in between is not known to the moment, so
 * there the recorded effect must be one that some past explains: it is held against the bounds instead (see keptBounds).
 */
export const replay = (
  prepared: PreparedRemit,
  definitionOf: (server: string, tool: string) => object | undefined,
  { calls, freezes }: Record,
): { problems: string[]; replayed: number } => {
  const problems: string[] = []
  let replayed = 0
  for (const recorded of calls) {
    const { call, intent, at } = recorded
    // What was left out or replaced cannot be decided on again.
    if (call.arguments === undefined || call.salted) continue
    const history = newHistory(prepared)
    history.loaded = true
    const again: Assessment = assess(
      prepared,
      {
        server: call.server,
        tool: call.tool,
        arguments: call.arguments as Json,
        definition: definitionOf(call.server, call.tool) as never,
      },
      history,
      at,
    )
    const { effect, code } = intent.decision
    const past =
      freezes > 0 || again.facts.length > 0 || intent.object !== undefined || /files\/update/.test(nameOf(recorded))
    if (past) continue
    replayed++
    if (again.decision.effect !== effect || again.decision.code !== code)
      problems.push(`decided again: ${again.decision.effect} ${again.decision.code ?? ''}; ${told(recorded)}`)
  }
  return { problems, replayed }
}

/**
 * Whether calls worth more than `max` together were surely decided within `perMs`: each was decided after it was sent and
 * before its receipt was sealed, and a disk that is slow can keep these apart.
 */
const overfull = (calls: { call: Recorded; worth: number }[], perMs: number, max: number): boolean =>
  calls.some(({ call: { sentAt: from } }) => {
    const surely = calls.filter(({ call }) => call.sentAt >= from && call.at < from + perMs)
    return surely.reduce((sum, { worth }) => sum + worth, 0) > max
  })

const argumentsOf = ({ call }: Recorded): { [name: string]: Json } => (call.arguments ?? {}) as { [name: string]: Json }

/** Limits, evidence, taint and concurrency counted over everything that was forwarded, without the gate's own books. */
export const keptBounds = ({ calls }: Record, forwarded: Forwarded[]): string[] => {
  const problems: string[] = []
  // What the server refused counts from its answer on no more; that it was counted while under way is the gate's part.
  const allowed = (tool: string) =>
    calls.filter(
      (each) => nameOf(each) === tool && each.intent.decision.effect === 'Allow' && each.result?.outcome !== 'error',
    )
  const refunds = allowed('bank/refund')
  const { perMs, calls: most, sum } = LIMITS.refund
  if (
    overfull(
      refunds.map((call) => ({ call, worth: 1 })),
      perMs,
      most,
    )
  )
    problems.push(`more than ${most} refunds in ${perMs} ms`)
  // In hundredths: these amounts have two digits behind the point at most.
  const cents = refunds.map((call) => ({ call, worth: Math.round(Number(argumentsOf(call).amount) * 100) }))
  if (overfull(cents, perMs, sum * 100)) problems.push(`refunds over ${sum} in ${perMs} ms`)

  const firstLook = new Map<Json | undefined, number>()
  for (const look of calls) {
    if (nameOf(look) !== 'bank/get_invoice' || look.result?.outcome !== 'ok') continue
    const id = argumentsOf(look).invoice_id
    firstLook.set(id, Math.min(look.sentAt, firstLook.get(id) ?? Number.POSITIVE_INFINITY))
  }
  for (const each of refunds)
    if ((firstLook.get(argumentsOf(each).invoice_id) ?? Number.POSITIVE_INFINITY) > each.at)
      problems.push(`without evidence: ${told(each)}`)

  const inbox = calls.filter((each) => nameOf(each) === 'mail/read_inbox' && each.intent.decision.effect === 'Allow')
  const transfers = calls.filter((each) => nameOf(each) === 'bank/transfer' && each.intent.decision.effect === 'Allow')
  for (const each of transfers) {
    const before = inbox.find(({ sentAt, at }) => at < each.sentAt && each.at < sentAt + LIMITS.transfer.taintMs)
    if (before !== undefined) problems.push(`tainted by ${before.name}: ${told(each)}`)
  }

  const mails = allowed('mail/send')
  for (const { sentAt: from } of mails) {
    const surely = mails.filter((each) => each.sentAt >= from && each.at < from + LIMITS.send.perMs)
    const different = new Set(surely.flatMap((each) => (argumentsOf(each).to ?? []) as Json[])).size
    if (different > LIMITS.send.recipients)
      problems.push(`${different} recipients in ${LIMITS.send.perMs} ms, from ${from} on`)
  }

  const lists = forwarded.filter(({ tool }) => tool === 'list_invoices')
  for (const { at } of lists) {
    const together = lists.filter((each) => each.at <= at && each.endedAt > at).length
    if (together > LIMITS.list_invoices.concurrent) problems.push(`${together} lists under way at ${at}`)
  }
  return problems
}

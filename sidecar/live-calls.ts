import type { Past } from '../lib/api/ledger.ts'

/**
 * Calls whose receipts may or may not be in what is being loaded: those under way, and while something is being loaded
 * all that have come since.
 */
export const createLiveCalls = () => {
  const calls = new Map<string, { events: Past[]; receipt?: string; closed: boolean }>()
  const receipts = new Set<string>()
  let holding = false

  const drop = (id: string) => {
    receipts.delete(calls.get(id)?.receipt ?? '')
    calls.delete(id)
  }
  return {
    begin: (id: string) => void calls.set(id, { events: [], closed: false }),
    add: (id: string, past: Past) => void calls.get(id)?.events.push(past),
    named: (id: string, receipt: string) => {
      const call = calls.get(id)
      if (!call) return
      call.receipt = receipt
      receipts.add(receipt)
    },
    /** Whether a receipt is of one of these calls. */
    has: (receipt: string) => receipts.has(receipt),
    /** What happened to them, in order. */
    events: () => [...calls.values()].flatMap(({ events }) => events).sort((a, b) => a.at - b.at),
    close: (id: string) => {
      const call = calls.get(id)
      if (call) call.closed = true
      if (!holding) drop(id)
    },
    drop,
    /** From `true` on those that end are kept too, until `false`. */
    hold: (on: boolean) => {
      holding = on
      if (!on) for (const [id, { closed }] of calls) if (closed) drop(id)
    },
  }
}

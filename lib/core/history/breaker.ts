import type { Past } from '../../api/ledger.ts'
import type { Remit } from '../../api/remit.ts'
import { canonical } from '../canonical.ts'
import { parseDuration } from '../duration.ts'
import { add, newWindow, tallyAfter, type Window } from './window.ts'

/** Which policy's breaker opened, and why, as a phrase without full stop. */
export interface Opened {
  policy: string
  detail: string
}

/** A breaker and how near it is to opening. */
export interface Breaker {
  policy: string
  key: string
  errors: { most: number | undefined; inARow: number }
  denials: { most: number | undefined; inARow: number }
  rate: { most: number; per: string; window: Window } | undefined
}

/** Those of enforced policies, all closed. */
export const breakersOf = ({ breakers = [] }: Remit): Breaker[] =>
  breakers
    .filter(({ mode }) => mode === 'Enforce')
    .map(({ policy, mode: _, ...breaker }) => ({
      policy,
      key: canonical(breaker),
      errors: { most: breaker.errors, inARow: 0 },
      denials: { most: breaker.denials, inARow: 0 },
      rate:
        breaker.calls === undefined
          ? undefined
          : { most: breaker.calls, per: String(breaker.per), window: newWindow(parseDuration(breaker.per ?? '') ?? 0) },
    }))

const FAILED = new Set(['error', 'unreachable', 'timeout', 'invalid', 'unknown'])

/** Tells the breakers what happened; the first that opens by it. What waits or is drafted is neither denied nor made. */
export function observe(breakers: Breaker[], past: Exclude<Past, { kind: 'frozen' }>): Opened | undefined {
  let opened: Opened | undefined
  const open = ({ policy }: Breaker, detail: string) => {
    opened ??= { policy, detail }
  }
  for (const breaker of breakers) {
    const { errors, denials, rate } = breaker
    if (past.kind === 'result') {
      if (past.outcome === 'ok') errors.inARow = 0
      else if (FAILED.has(past.outcome) && ++errors.inARow >= (errors.most ?? Number.POSITIVE_INFINITY))
        open(breaker, `${errors.inARow} calls in a row failed`)
      continue
    }
    if (past.effect === 'Allow') denials.inARow = 0
    else if (past.effect === 'Deny' && ++denials.inARow >= (denials.most ?? Number.POSITIVE_INFINITY))
      open(breaker, `${denials.inARow} calls in a row were denied`)
    if (rate === undefined) continue
    add(rate.window, past.id, past.at, [])
    if (tallyAfter(rate.window, past.at - rate.window.per).calls > rate.most)
      open(breaker, `more than ${rate.most} calls in ${rate.per}`)
  }
  return opened
}

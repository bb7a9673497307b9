import type { Limit } from '../../api/gen/types.ts'
import { bound, decimalOf } from '../decimal.ts'
import { parseDuration } from '../duration.ts'
import { factPath, valuesAt } from '../history/facts.ts'
import { type Tracker, tracker } from '../history/tracker.ts'
import { keyOf, newWindow, type Tally, tallyAfter } from '../history/window.ts'
import type { Asked, Check } from './check.ts'

/** A limit ready to be asked, and what of the past it looks at. */
export interface PreparedLimit {
  tracker: Tracker
  check: (asked: Asked) => Check
}

const scopeOf: Record<NonNullable<Limit['scope']>, Tracker['group']> = {
  Rule: () => '',
  Tool: (server, tool) => `${server}/${tool}`,
  Policy: () => '',
  Agent: () => '',
}

/**
 * @param counts which calls it counts
 * @param about what tells those calls from others, as JSON
 */
export function prepareLimit(limit: Limit, counts: Tracker['counts'], about: object): PreparedLimit {
  const { per: text = '', scope = 'Rule', sum, distinct, max, calls, concurrent } = limit
  const group = scopeOf[scope]
  const per = parseDuration(text) ?? 0
  if (concurrent !== undefined) {
    const watched = tracker({ what: 'concurrent', scope, about }, { what: 'concurrent', per: 0, counts, group })
    return { tracker: watched, check: (asked) => concurrency(watched, concurrent, asked) }
  }
  const arg = sum ?? distinct
  const path = arg === undefined ? undefined : factPath(arg)
  const windows = tracker(
    { what: 'window', per, arg: arg ?? null, scope, about },
    { what: 'window', per, counts, group, ...(path === undefined ? {} : { arg: path.arg, paths: [path] }) },
  )
  const tally = ({ history, server, tool, steady }: Asked): Tally =>
    tallyAfter(history.windows.get(windows.key)?.get(group(server, tool)) ?? newWindow(per), steady - per)
  if (path === undefined) {
    const most = calls ?? 0
    return {
      tracker: windows,
      check: (asked) => {
        const made = tally(asked).calls
        const what = `${plural(made, 'call was', 'calls were')} made in ${text}`
        return verdict(made < most, what, String(most), { used: String(made), max: String(most), per: text })
      },
    }
  }
  const most = bound(max ?? '0')
  const known = (asked: Asked) => valuesAt(asked.arguments, path)
  const past = 'and an earlier call of which it is not known still counts'
  return {
    tracker: windows,
    check: (asked) => {
      const mine = known(asked)
      if ('problem' in mine) return { is: 'error', what: mine.problem }
      const before = tally(asked)
      if (before.unknown > 0 || (sum !== undefined && before.noSum > 0))
        return { is: 'error', what: `${path.arg} is limited in ${text}, ${past}` }
      if (distinct !== undefined) {
        const different = new Set([...before.values.keys(), ...mine.values.map(keyOf)]).size
        const what = `${path.arg} would have ${different} different values in ${text}`
        return verdict(most.gte(different), what, String(max), {
          used: String(before.values.size),
          max: String(max),
          per: text,
        })
      }
      let total = before.sum
      for (const value of mine.values) {
        const decimal = decimalOf(value)
        if ('problem' in decimal) return { is: 'error', what: `${path.arg} is ${decimal.problem}` }
        if (decimal.value.lt(0)) return { is: 'error', what: `${path.arg} is negative and cannot be added up` }
        total = total.plus(decimal.value)
      }
      const what = `${path.arg} would come to ${total.toFixed()} in ${text}`
      return verdict(total.lte(most), what, String(max), { used: before.sum.toFixed(), max: String(max), per: text })
    },
  }
}

function concurrency({ key, group }: Tracker, most: number, { history, server, tool }: Asked): Check {
  let under = 0
  for (const { past, trackers } of history.open.values()) {
    if (past.kind === 'read') continue
    const same = group(past.server, past.tool) === group(server, tool)
    if (same && trackers.some((tracked) => tracked.key === key)) under++
  }
  const what = `${plural(under, 'call is', 'calls are')} under way`
  return verdict(under < most, what, `${most} at a time`, { used: String(under), max: String(most) })
}

const verdict = (
  holds: boolean,
  what: string,
  wants: string,
  numbers: { used: string; max: string; per?: string },
): Check => {
  const fact = { what: 'limit', holds, detail: what, ...numbers } as const
  return holds ? { is: 'true', fact } : { is: 'false', code: 'LimitReached', what, wants, fact }
}

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

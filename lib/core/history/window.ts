import Big from 'big.js'
import type { Facts } from '../../api/receipt.ts'
import { decimalOf } from '../decimal.ts'

/** One call, or two old ones put together. */
interface Entry {
  id: string
  at: number
  calls: number
  sum: Big
  /** Calls whose values are not known. */
  unknown: number
  /** Calls with a value that cannot be added up. */
  noSum: number
  /** Keys of values; see keyOf. */
  values: string[]
}

/** What calls come to. */
export interface Tally {
  calls: number
  sum: Big
  unknown: number
  noSum: number
  /** How many calls each different value was in. */
  values: Map<string, number>
}

/** The calls of a stretch of time that slides, oldest first, and what they come to. */
export interface Window {
  /** Milliseconds. */
  per: number
  entries: Entry[]
  tally: Tally
}

/** More entries than this are put together two by two: memory stays bounded, and they count until the later one's time. */
const MAX_ENTRIES = 20_000

const nothing = (): Tally => ({ calls: 0, sum: new Big(0), unknown: 0, noSum: 0, values: new Map() })
export const newWindow = (per: number): Window => ({ per, entries: [], tally: nothing() })

/** A value as a key: the text "5" is not the number 5. */
export const keyOf = (value: string | number | boolean): string => `${typeof value}:${value}`

function count(tally: Tally, entry: Entry, sign: 1 | -1): void {
  tally.calls += sign * entry.calls
  tally.sum = sign === 1 ? tally.sum.plus(entry.sum) : tally.sum.minus(entry.sum)
  tally.unknown += sign * entry.unknown
  tally.noSum += sign * entry.noSum
  for (const value of entry.values) {
    const left = (tally.values.get(value) ?? 0) + sign
    if (left > 0) tally.values.set(value, left)
    else tally.values.delete(value)
  }
}

/** Counts a call; `values` undefined: what it was about is not known. */
export function add(window: Window, id: string, at: number, values: Facts[string] | undefined): void {
  const { entries, tally } = window
  const entry = entryOf(id, at, values)
  // Calls of several incarnations may be loaded a little out of order.
  let index = entries.length
  while (index > 0 && (entries[index - 1] as Entry).at > at) index--
  entries.splice(index, 0, entry)
  count(tally, entry, 1)
  const moment = (entries.at(-1) as Entry).at - window.per
  let gone = 0
  while ((entries[gone] as Entry).at <= moment) gone++
  for (const old of entries.splice(0, gone)) count(tally, old, -1)
  if (entries.length > MAX_ENTRIES) putTogether(window)
}

function entryOf(id: string, at: number, values: Facts[string] | undefined): Entry {
  const decimals = (values ?? []).map(decimalOf)
  const known = decimals.flatMap((decimal) => ('value' in decimal && decimal.value.gte(0) ? [decimal.value] : []))
  return {
    id,
    at,
    calls: 1,
    sum: known.reduce((sum, value) => sum.plus(value), new Big(0)),
    unknown: values === undefined ? 1 : 0,
    noSum: known.length < decimals.length ? 1 : 0,
    values: [...new Set((values ?? []).map(keyOf))],
  }
}

/** A call that had no effect does not count. */
export function remove({ entries, tally }: Window, id: string): void {
  const index = entries.findLastIndex((entry) => entry.id === id)
  if (index < 0) return
  for (const entry of entries.splice(index, 1)) count(tally, entry, -1)
}

function putTogether(window: Window): void {
  const old = window.entries.splice(0, MAX_ENTRIES / 2)
  const pairs: Entry[] = []
  for (let i = 0; i + 1 < old.length; i += 2) {
    const [a, b] = [old[i] as Entry, old[i + 1] as Entry]
    const values = [...new Set([...a.values, ...b.values])]
    pairs.push({
      id: '',
      at: b.at,
      calls: a.calls + b.calls,
      sum: a.sum.plus(b.sum),
      unknown: a.unknown + b.unknown,
      noSum: a.noSum + b.noSum,
      values,
    })
  }
  window.entries.unshift(...pairs)
  window.tally = nothing()
  for (const entry of window.entries) count(window.tally, entry, 1)
}

/** What the calls after `moment` come to. */
export function tallyAfter({ entries, tally }: Window, moment: number): Tally {
  if (entries.length === 0 || (entries[0] as Entry).at > moment) return tally
  const left: Tally = { ...tally, values: new Map(tally.values) }
  for (const entry of entries) {
    if (entry.at > moment) break
    count(left, entry, -1)
  }
  return left
}

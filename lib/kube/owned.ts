import { isObject } from '../core/json-rpc.ts'

/**
 * A `fieldsV1` node: `f:name` a field, `k:{...}` an item of a keyed list, `v:value` an item of a set, `.` the thing
 * itself. Source: structured-merge-diff, `fieldpath/serialize-pe.go`.
 */
export interface FieldSet {
  [path: string]: FieldSet
}

/** Ownership of a field the server replaces as a whole goes for everything below it. */
const whole = Symbol('whole')
type Owned = FieldSet | typeof whole | undefined

/**
 * Whether applying `desired` over `live` would change a value, take a field back that somebody else changed, or give up
 * one the manager owns (`owned`) and no longer wants. Ownership is what tells meddling in fields that are replaced as a
 * whole, as a rule of a NetworkPolicy: who changes one takes it from us. What others added beside us and what the server
 * defaulted is left alone.
 */
export const changes = (desired: unknown, live: unknown, owned: FieldSet): boolean =>
  !Object.entries(desired as object).every(([name, value]) =>
    holds(value, (live as Fields)[name], owned[`f:${name}`]),
  ) || givesUp(desired, owned)

type Fields = Record<string, unknown>

/** Whether `live` has everything in `desired`, and we own it. */
const holds = (desired: unknown, live: unknown, owned: Owned): boolean => {
  if (desired === undefined || desired === null) return true
  if (isEmpty(desired) && isEmpty(live)) return true
  if (owned === undefined) return false
  if (Array.isArray(desired)) return Array.isArray(live) && holdsItems(desired, live, owned)
  if (!isObject(desired)) return live === desired
  if (!isObject(live)) return false
  // A leaf that has fields below it is replaced as a whole.
  const below = (name: string): Owned => (owned === whole || isLeaf(owned) ? whole : owned[`f:${name}`])
  return Object.entries(desired).every(([name, value]) => holds(value, live[name], below(name)))
}

/** Lists the server merges by item may hold others' items; those it replaces are as long as ours. */
const holdsItems = (desired: unknown[], live: unknown[], owned: FieldSet | typeof whole): boolean => {
  if (owned === whole || isLeaf(owned)) {
    return live.length === desired.length && desired.every((item, at) => holds(item, live[at], whole))
  }
  return desired.every((item) => {
    const node = Object.entries(owned).find(([path]) => isItem(path, item))?.[1]
    return node !== undefined && live.some((candidate) => holds(item, candidate, node))
  })
}

/** Whether something owned is no longer in `desired`. */
const givesUp = (desired: unknown, owned: FieldSet): boolean =>
  Object.entries(owned).some(([path, below]) => {
    if (path === '.') return false
    if (path.startsWith('f:')) {
      const value = isObject(desired) ? desired[path.slice(2)] : undefined
      return value === undefined || value === null || givesUp(value, below)
    }
    const item = Array.isArray(desired) ? desired.find((each) => isItem(path, each)) : undefined
    return item === undefined || givesUp(item, below)
  })

/** Whether `path` (`k:` or `v:`) names `item`. A key that is absent from the item was defaulted by the server. */
const isItem = (path: string, item: unknown): boolean => {
  if (path.startsWith('v:')) return JSON.stringify(item) === path.slice(2)
  if (!path.startsWith('k:') || !isObject(item)) return false
  const keys = JSON.parse(path.slice(2)) as Record<string, unknown>
  return Object.entries(keys).every(([name, value]) => item[name] === undefined || item[name] === value)
}

const isLeaf = (owned: FieldSet) => Object.keys(owned).length === 0

/** The server leaves out what is empty, so both forms are the same. */
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === 'object' && Object.values(value).every((inner) => inner === undefined))

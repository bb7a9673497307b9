/**
 * A `fieldsV1` node: `f:name` a field, `k:{...}` an item of a keyed list, `v:value` an item of a set, `.` the thing
 * itself. Source: structured-merge-diff, `fieldpath/serialize-pe.go`.
 */
export interface FieldSet {
  [path: string]: FieldSet
}

/**
 * Whether applying `desired` over `live` changes a value, or gives up a field the manager owns (`owned`) and no longer
 * wants. What others own and what the server defaulted is left alone.
 */
export const changes = (desired: unknown, live: unknown, owned: FieldSet): boolean =>
  !covers(live, desired, owned) || givesUp(desired, owned)

/** Whether `live` has everything in `desired`. Lists the server merges by item may hold more; others must be as long. */
const covers = (live: unknown, desired: unknown, owned: FieldSet | undefined): boolean => {
  if (isEmpty(desired)) return isEmpty(live) || isContainer(live)
  if (Array.isArray(desired)) {
    if (!Array.isArray(live)) return false
    if (!isGranular(owned)) {
      return live.length === desired.length && desired.every((item, at) => covers(live[at], item, undefined))
    }
    return desired.every((item) => {
      const node = Object.entries(owned ?? {}).find(([path]) => isItem(path, item))?.[1]
      return live.some((candidate) => covers(candidate, item, node))
    })
  }
  if (!isObject(desired)) return live === desired
  if (!isObject(live)) return false
  return Object.entries(desired).every(([name, value]) => covers(live[name], value, owned?.[`f:${name}`]))
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

const isGranular = (owned: FieldSet | undefined) =>
  Object.keys(owned ?? {}).some((path) => path.startsWith('k:') || path.startsWith('v:'))

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isContainer = (value: unknown) => typeof value === 'object'

/** The server leaves out what is empty, so both forms are the same. */
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.values(value).every((inner) => inner === undefined))

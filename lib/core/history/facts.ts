import type { CallRecord, Facts } from '../../api/receipt.ts'
import { sha256hex } from '../canonical.ts'
import { scalarsByPath } from '../observe.ts'
import { parsePath, resolvePath, type Step } from '../path.ts'
import type { Json } from '../strict.ts'

/** Longest text that is kept as it is, in characters; more of one is kept by its digest. */
const MAX_TEXT = 128

/** Most values of one path in one call, and the bytes of them as JSON: a receipt has room for no more. */
const MAX_VALUES = 100
const MAX_BYTES = 2_048

/** A path that something will want to know of a call later, as written and as steps. */
export interface FactPath {
  arg: string
  steps: Step[]
}

/** Compiles a path of a checked policy. */
export function factPath(arg: string): FactPath {
  const steps = parsePath(arg)
  if (steps === undefined) throw new Error(`not a path: ${arg}`)
  return { arg, steps }
}

/** One value as it is kept and compared. */
const kept = (value: string | number | boolean): string | number | boolean =>
  typeof value === 'string' && value.length > MAX_TEXT ? `sha256:${sha256hex(value)}` : value

/**
 * The scalars a path leads to, or why that cannot be said: something on the way is missing, null, empty or of the wrong
 * type, or they are more than a receipt can keep. What is compared later has to be there.
 */
export function valuesAt(args: Json, { arg, steps }: FactPath): { values: Facts[string] } | { problem: string } {
  const values: Facts[string] = []
  for (const found of resolvePath(args, steps)) {
    if (found.kind === 'error') return { problem: found.detail }
    if (found.kind !== 'value') return { problem: `${found.where} is ${found.kind}` }
    if (found.value === null || typeof found.value === 'object')
      return { problem: `${found.where} is not a single value` }
    values.push(kept(found.value))
  }
  if (values.length === 0) return { problem: `${arg} is missing` }
  if (values.length > MAX_VALUES || (values.length > 1 && Buffer.byteLength(JSON.stringify(values)) > MAX_BYTES))
    return { problem: `${arg} has more values than can be kept count of` }
  return { values }
}

/** What is recorded of a call: the paths that lead to scalars, and only those. */
export function factsAt(args: Json, paths: FactPath[]): Facts | undefined {
  const facts: Facts = {}
  for (const path of paths) {
    const found = valuesAt(args, path)
    if ('values' in found) facts[path.arg] = found.values
  }
  return Object.keys(facts).length === 0 ? undefined : facts
}

/** More paths of one call than this are not worth keeping in an index. */
const MAX_PATHS = 64

/**
 * What a receipt tells of a call: what was recorded for the rules of its day, and of the recorded arguments what rules
 * of a later day may ask for.
 */
export function factsOfReceipt(call: Extract<CallRecord, { type: 'tool' }>): Facts | undefined {
  const seen = call.arguments === undefined ? [] : scalarsByPath([call.arguments as Json]).slice(0, MAX_PATHS)
  const facts: Facts = {
    ...Object.fromEntries(seen.map(({ path, values }) => [path, values.map(kept)])),
    ...call.facts,
  }
  return Object.keys(facts).length === 0 ? undefined : facts
}

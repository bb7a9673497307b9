import { MAX_DURATION_MS, parseDuration } from '../duration.ts'
import { isObject } from '../json-rpc.ts'
import { parsePath } from '../path.ts'
import type { Problems } from '../problem.ts'

export const REMOVE = 'Remove it.'
export const LATER = 'is not enforced by this version'

/** What this version does not know is refused, never ignored: it may be a restriction that a newer one enforces. */
export function unknownKeys(object: object, known: ReadonlySet<string>, field: string, found: Problems): void {
  for (const key of Object.keys(object)) {
    if (!known.has(key)) found.at(`${field}.${key}`, undefined, 'PolicyUnsupported', LATER, REMOVE)
  }
}

/** Whether `value` is an object at all; if not, that is said. */
export function isShape(value: unknown, field: string, example: string, found: Problems): value is object {
  if (isObject(value)) return true
  found.at(field, value, 'PolicyInvalid', 'is not an object', `Write ${example}, for example.`)
  return false
}

/** The elements of a list that must have some; none when it is no list or empty, which is said. */
export function elements<T>(list: T[], field: string, found: Problems): [number, T][] {
  if (Array.isArray(list) && list.length > 0) return [...list.entries()]
  const name = field.slice(field.lastIndexOf('.') + 1)
  found.at(field, list, 'PolicyInvalid', 'is an empty list', `Leave ${name} out, or list something.`)
  return []
}

export function checkPath(path: unknown, field: string, found: Problems, single = false): void {
  if (typeof path !== 'string' || parsePath(path) === undefined) {
    const fix = 'Write names joined by dots, [*] for every element of a list: items[*].price.'
    found.at(field, path, 'PolicyInvalid', 'is not a path into the arguments', fix)
  } else if (single && path.includes('[*]')) {
    found.at(field, path, 'PolicyInvalid', 'leads to several values', 'Name one argument, without [*].')
  }
}

export function checkPaths(paths: string[], field: string, found: Problems): void {
  for (const [index, path] of elements(paths, field, found)) checkPath(path, `${field}[${index}]`, found)
}

const MAX_DAYS = MAX_DURATION_MS / 86_400_000

export function checkDuration(text: unknown, field: string, found: Problems): void {
  if (typeof text === 'string' && parseDuration(text) !== undefined) return
  const fix = `Write a number and s, m, h or d, at most ${MAX_DAYS}d: 10m, 24h, 1h30m.`
  found.at(field, text, 'PolicyInvalid', 'is not a stretch of time', fix)
}

/** Counts fit an int32, as in the CRD. */
export function checkCount(count: unknown, least: 0 | 1, field: string, found: Problems): void {
  if (typeof count === 'number' && Number.isInteger(count) && count >= least && count < 2 ** 31) return
  found.at(field, count, 'PolicyInvalid', 'is not a count', `Write a whole number of at least ${least}.`)
}

export function checkFlag(flag: unknown, field: string, found: Problems): void {
  if (typeof flag === 'boolean') return
  found.at(field, flag, 'PolicyInvalid', 'is not true or false', 'Write true, or leave it out.')
}

/** A value that must be one of a few words. */
export function checkWord(
  word: unknown,
  words: readonly string[],
  what: string,
  field: string,
  found: Problems,
): boolean {
  if (words.includes(word as string)) return true
  const list = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
  found.at(field, word, 'PolicyInvalid', `is not ${what}`, `Write ${list}.`)
  return false
}

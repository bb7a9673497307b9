import type { ResultBody } from '../../lib/api/receipt.ts'
import { sha256hex } from '../../lib/core/canonical.ts'
import type { Json } from '../../lib/core/strict.ts'
import { COMMITMENT } from '../commitments.ts'

type Change = NonNullable<ResultBody['changed']>[number]

const MAX_PATHS = 100
/** Of all changes together, so that the receipt stays within its 16 KB. */
const MAX_BYTES = 8 * 1024
const MAX_CHARS = 256
const MAX_PATH_CHARS = 256

const brief = (value: Json | undefined): Json | undefined => {
  if (value === undefined) return undefined
  const text = JSON.stringify(value)
  return text.length <= MAX_CHARS ? value : `sha256:${sha256hex(text)}`
}

/**
 * What differs between an object before and after a write, by path in the order of the object; at most 100 paths and
 * 8 KB. A value of more than 256 characters is "sha256:<hex>" of its JSON text.
 */
export const changesBetween = (before: Json, after: Json): Change[] => {
  const changes: Change[] = []
  let bytes = 0
  const note = (path: string, old: Json | undefined, now: Json | undefined) => {
    if (changes.length >= MAX_PATHS || bytes > MAX_BYTES || path.length > MAX_PATH_CHARS) return
    const was = brief(old)
    const is = brief(now)
    const change = { path, ...(was === undefined ? {} : { old: was }), ...(is === undefined ? {} : { new: is }) }
    bytes += Buffer.byteLength(JSON.stringify(change))
    if (bytes <= MAX_BYTES) changes.push(change)
  }
  const walk = (old: Json | undefined, now: Json | undefined, path: string): void => {
    if (changes.length >= MAX_PATHS || bytes > MAX_BYTES) return
    const isList = Array.isArray(old) && Array.isArray(now)
    const bothObjects = isOpen(old) && isOpen(now)
    if (!isList && !bothObjects) {
      if (JSON.stringify(old) !== JSON.stringify(now)) note(path, old, now)
      return
    }
    if (isList) {
      for (let i = 0; i < Math.max(old.length, now.length); i++) walk(old[i], now[i], `${path}[${i}]`)
      return
    }
    const [was, is] = [old as Record<string, Json>, now as Record<string, Json>]
    for (const key of new Set([...Object.keys(was), ...Object.keys(is)]))
      walk(own(was, key), own(is, key), path === '' ? key : `${path}.${key}`)
  }
  walk(before, after, '')
  return changes
}

const own = (object: Record<string, Json>, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined
/** An object to look into; a commitment stands for one value. */
const isOpen = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !Object.hasOwn(value, COMMITMENT)

import { aliasOf } from './alias.ts'
import { shown } from './quote.ts'
import type { Json } from './strict.ts'

/** One step into arguments: a member's name, or every element of a list. */
export type Step = { key: string } | { each: true }

/** What a path leads to; `where` is the concrete place ("to[1].email") as a sentence names it. */
export type Found =
  | { kind: 'value'; where: string; value: Json }
  | { kind: 'missing'; where: string }
  | { kind: 'empty'; where: string }
  | { kind: 'error'; where: string; detail: string }

/** "notify[*].email" -> steps, or undefined when it is not of that form. */
export function parsePath(arg: string): Step[] | undefined {
  if (arg.length > 256) return undefined
  const steps: Step[] = []
  for (const segment of arg.split('.')) {
    const match = /^([^.[\]\s*]+)((?:\[\*\])*)$/.exec(segment)
    if (match === null || match[1] === '__proto__') return undefined
    steps.push({ key: match[1] as string })
    for (let i = 0; i < (match[2] as string).length; i += 3) steps.push({ each: true })
  }
  return steps
}

/** "a list", "an object", ...: what a sentence calls a value's type. */
export function typeName(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'boolean' ? 'a truth value' : typeof value === 'number' ? 'a number' : 'a text'
}

/**
 * Everything the steps lead to in `root`; own members only, and null is never a place to go on from. A member whose
 * name differs from a step's in case only is an error.
 */
export function resolvePath(root: Json, steps: Step[]): Found[] {
  const found: Found[] = []
  const walk = (value: Json, depth: number, where: string): void => {
    const step = steps[depth]
    if (step === undefined) {
      found.push({ kind: 'value', where, value })
    } else if ('each' in step) {
      if (!Array.isArray(value))
        found.push({ kind: 'error', where, detail: `${where} is ${typeName(value)}, not a list` })
      else if (value.length === 0) found.push({ kind: 'empty', where })
      else for (const [index, element] of value.entries()) walk(element, depth + 1, `${where}[${index}]`)
    } else if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      const place = where === '' ? 'arguments' : where
      found.push({ kind: 'error', where: place, detail: `${place} is ${typeName(value)}, not an object` })
    } else {
      const place = where === '' ? step.key : `${where}.${step.key}`
      const next = Object.hasOwn(value, step.key) ? value[step.key] : undefined
      // A server that ignores case would take the other one: what it would act on is not what is looked at here.
      const alias = aliasOf(step.key, Object.keys(value))
      if (alias !== undefined)
        found.push({ kind: 'error', where: place, detail: `${place} is also written ${shown(alias)}` })
      else if (next === undefined) found.push({ kind: 'missing', where: place })
      else walk(next, depth + 1, place)
    }
  }
  walk(root, 0, '')
  return found
}

import { parsePath } from '../path.ts'
import { shown } from '../quote.ts'
import type { Json } from '../strict.ts'
import type { Check } from './check.ts'

/** The allowed paths as a tree; at a leaf everything inside is allowed. */
interface Node {
  leaf: boolean
  members: Map<string, Node>
  each?: Node
}
const node = (): Node => ({ leaf: false, members: new Map() })

/** A check that the arguments are made of nothing but what the paths lead to. */
export function prepareFields(fields: string[]): (args: Json) => Check {
  const root = node()
  for (const field of fields) {
    let at = root
    for (const step of parsePath(field) ?? []) {
      const next = 'each' in step ? (at.each ?? node()) : (at.members.get(step.key) ?? node())
      if ('each' in step) at.each = next
      else at.members.set(step.key, next)
      at = next
    }
    at.leaf = true
  }
  const wants = fields.length > 5 ? `${fields.slice(0, 5).join(', ')}, … only` : `${fields.join(', ')} only`
  return (args) => {
    const where = outside(args, root, '')
    return where === undefined
      ? { is: 'true' }
      : { is: 'false', code: 'FieldNotAllowed', what: `${shown(where)} is given`, wants }
  }
}

/** The first place that no path leads to. */
function outside(value: Json, at: Node, where: string): string | undefined {
  if (at.leaf) return undefined
  if (value === null || typeof value !== 'object') return where === '' ? 'the arguments' : where
  if (Array.isArray(value)) {
    if (at.each === undefined && value.length > 0) return `${where}[0]`
    for (const [index, element] of value.entries()) {
      const found = outside(element, at.each as Node, `${where}[${index}]`)
      if (found !== undefined) return found
    }
    return undefined
  }
  for (const [key, member] of Object.entries(value)) {
    const place = where === '' ? key : `${where}.${key}`
    const next = at.members.get(key)
    const found = next === undefined ? place : outside(member, next, place)
    if (found !== undefined) return found
  }
  return undefined
}

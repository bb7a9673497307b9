import { parsePath } from '../../lib/core/path.ts'
import { and, FALSE, not, or, type Term, TRUE } from './smt.ts'
import { is, type Node } from './tree.ts'

/** The allowed paths as a tree; at a leaf everything inside is allowed. */
interface Allowed {
  leaf: boolean
  members: Map<string, Allowed>
  each?: Allowed
}

/** Whether the arguments have something that no path of `fields` leads to. */
export function encodeOutside(root: Node, fields: string[]): Term {
  const allowed: Allowed = { leaf: false, members: new Map() }
  for (const field of fields) {
    let at = allowed
    for (const step of parsePath(field) ?? []) {
      const next = ('each' in step ? at.each : at.members.get(step.key)) ?? { leaf: false, members: new Map() }
      if ('each' in step) at.each = next
      else at.members.set(step.key, next)
      at = next
    }
    at.leaf = true
  }
  return outside(root, allowed)
}

function outside(node: Node, at: Allowed): Term {
  if (at.leaf) return FALSE
  const { each } = at
  const elements =
    each === undefined
      ? `(> ${node.id}n 0)`
      : or(...node.slots.map((slot) => and(not(is(slot, 'M')), outside(slot, each))))
  const members = [...node.members].map(([key, { node: member }]) => {
    const next = at.members.get(key)
    return and(not(is(member, 'M')), next === undefined ? TRUE : outside(member, next))
  })
  return or(
    and(is(node, 'List'), elements),
    and(is(node, 'Object'), or(`${node.id}o`, ...members)),
    and(not(is(node, 'List')), not(is(node, 'Object'))),
  )
}

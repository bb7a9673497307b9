import { aliasOf } from '../../lib/core/alias.ts'
import type { Step } from '../../lib/core/path.ts'
import { and, equal, implies, not, or, type Term } from './smt.ts'

/** What a JSON value is; M is a member that is not there. */
export type Kind = 'M' | 'Null' | 'Bool' | 'Number' | 'Text' | 'List' | 'Object'
export const KINDS = '(declare-datatypes ((Kind 0)) (((M) (Null) (Bool) (Number) (Text) (List) (Object))))'

/** One JSON value of the call that is looked for: names of its variables, and what policies mention inside of it. */
export interface Node {
  /** Begins the names of its variables: `<id>k` kind, `b` truth value, `r` number, `d` the decimal of a text,
   * `n` length of a list, `o` whether an object has members nobody mentions. */
  id: string
  members: Map<string, Member>
  /** Stand for all elements of a list; see `grow`. */
  slots: Node[]
}
export interface Member {
  node: Node
  /** Whether the member is also written in another case. */
  alias: Term
}

export const is = (node: Node, kind: Kind): Term => equal(`${node.id}k`, kind)

/** A root that policies lead into by `paths`. */
export function treeOf(id: string, paths: Step[][]): Node {
  const node: Node = { id, members: new Map(), slots: [] }
  grow(node, paths)
  return node
}

/**
 * Gives a node what the paths mention. As many slots stand for a list as paths go through it, one at least: whatever the
 * constraints say of a list of any length they also say of some of its elements, one for each constraint (an element that
 * shows an error, a false, ...; what holds for all elements holds for fewer of them too).
 */
function grow(node: Node, paths: Step[][]): void {
  const through = paths.filter((path) => path.length > 0)
  const keys = new Set(through.flatMap(([step]) => (step !== undefined && 'key' in step ? [step.key] : [])))
  let index = 0
  for (const key of keys) {
    const id = `${node.id}m${index++}_`
    const inside = through.filter(([step]) => step !== undefined && 'key' in step && step.key === key)
    node.members.set(key, {
      alias: `${id}a`,
      node: treeOf(
        id,
        inside.map((path) => path.slice(1)),
      ),
    })
  }
  const elements = through.filter(([step]) => step !== undefined && 'each' in step)
  for (let slot = 0; slot < elements.length; slot++) {
    node.slots.push(
      treeOf(
        `${node.id}e${slot}_`,
        elements.map((path) => path.slice(1)),
      ),
    )
  }
}

/** How many values a tree has; a bound keeps formulas small. */
export const sizeOf = (node: Node): number =>
  1 +
  [...[...node.members.values()].map((member) => member.node), ...node.slots].reduce(
    (sum, each) => sum + sizeOf(each),
    0,
  )

/** Declarations of a tree's variables, and what is true of every JSON value. */
export function declarations(root: Node): Term[] {
  const lines: Term[] = [`(assert ${not(is(root, 'M'))})`]
  const visit = (node: Node): void => {
    const { id } = node
    lines.push(`(declare-const ${id}k Kind)`)
    for (const [name, sort] of Object.entries(VARIABLES)) lines.push(`(declare-const ${id}${name} ${sort})`)
    lines.push(`(assert (>= ${id}n 0))`)
    for (const { node: member, alias } of node.members.values()) {
      lines.push(`(declare-const ${alias} Bool)`)
      visit(member)
    }
    for (const [key, { alias }] of node.members) {
      for (const [other, member] of node.members)
        if (aliasOf(key, [other]) !== undefined) lines.push(`(assert ${implies(not(is(member.node, 'M')), alias)})`)
    }
    node.slots.forEach((slot, index) => {
      visit(slot)
      const before = node.slots[index - 1]
      const active = not(is(slot, 'M'))
      lines.push(
        before === undefined
          ? `(assert ${equal(active, `(> ${id}n 0)`)})`
          : `(assert ${implies(active, and(not(is(before, 'M')), `(> ${id}n ${index})`))})`,
      )
    })
  }
  visit(root)
  // Declarations first: what is true of a value may speak of those inside of it.
  return lines.sort((a, b) => Number(a.startsWith('(assert')) - Number(b.startsWith('(assert')))
}

const VARIABLES = { b: 'Bool', r: 'Real', d: 'Real', n: 'Int', o: 'Bool' }

/**
 * What is true of calls that are looked for first: arguments that are an object without second spellings. With texts in plain ASCII, every
 * operator is encoded exactly for those.
 */
export function plain(root: Node): Term[] {
  const terms: Term[] = [is(root, 'Object')]
  const visit = (node: Node): void => {
    for (const [key, member] of node.members) {
      const others = [...node.members].filter(([other]) => aliasOf(key, [other]) !== undefined)
      terms.push(implies(member.alias, or(...others.map(([, each]) => not(is(each.node, 'M'))))))
      visit(member.node)
    }
    for (const slot of node.slots) visit(slot)
  }
  visit(root)
  return terms
}

/** What a path leads to: `when` each is there. */
export interface Places {
  errors: Term[]
  empties: Term[]
  missing: Term[]
  values: { when: Term; node: Node }[]
}

/** As resolvePath of lib/core, for a value that is not known. */
export function resolve(root: Node, steps: Step[]): Places {
  const places: Places = { errors: [], empties: [], missing: [], values: [] }
  const walk = (node: Node, depth: number, when: Term): void => {
    const step = steps[depth]
    if (step === undefined) {
      places.values.push({ when, node })
    } else if ('each' in step) {
      places.errors.push(and(when, not(is(node, 'List'))))
      const [first] = node.slots
      if (first !== undefined) places.empties.push(and(when, is(node, 'List'), is(first, 'M')))
      for (const slot of node.slots) walk(slot, depth + 1, and(when, is(node, 'List'), not(is(slot, 'M'))))
    } else {
      const { alias, node: member } = node.members.get(step.key) as Member
      const there = and(when, is(node, 'Object'))
      places.errors.push(and(when, not(is(node, 'Object'))), and(there, alias))
      const read = and(there, not(alias))
      places.missing.push(and(read, is(member, 'M')))
      walk(member, depth + 1, and(read, not(is(member, 'M'))))
    }
  }
  walk(root, 0, 'true')
  return places
}

import type { Constraint, NegatedConstraint, Scalar } from '../api/gen/types.ts'
import { isDecimalText } from './decimal.ts'
import type { Problems } from './problem.ts'

/** What an argument can be for a constraint not to err: `decimal` is a text that is a plain decimal, such as "12.50". */
export type ValueType = 'text' | 'decimal' | 'number' | 'boolean' | 'list' | 'object'

const ANY: ReadonlySet<ValueType> = new Set<ValueType>(['text', 'decimal', 'number', 'boolean', 'list', 'object'])
const TEXT: ReadonlySet<ValueType> = new Set<ValueType>(['text', 'decimal'])
const NUMBER: ReadonlySet<ValueType> = new Set<ValueType>(['number', 'decimal'])
const LIST: ReadonlySet<ValueType> = new Set<ValueType>(['list'])
const OBJECT: ReadonlySet<ValueType> = new Set<ValueType>(['object'])

/**
 * The types for which a constraint is true or false and not an error, for the value its path leads to. All types for
 * `required`, `absent` and `cel`, which ask for none; an empty set for operators that no value can meet together.
 */
export function typesOf(constraint: Constraint): ReadonlySet<ValueType> {
  const { equals, notIn, prefix, suffix, min, max, cidr, pattern, subsetOf, minItems, maxItems } =
    constraint.not ?? constraint
  const many = (constraint.not ?? constraint).in
  const wanted = [
    equals === undefined ? ANY : scalarTypes([equals]),
    many === undefined ? ANY : scalarTypes(many),
    notIn === undefined ? ANY : scalarTypes(notIn),
    prefix === undefined && suffix === undefined && pattern === undefined ? ANY : TEXT,
    cidr === undefined ? ANY : new Set<ValueType>(['text']),
    min === undefined && max === undefined ? ANY : NUMBER,
    subsetOf === undefined && minItems === undefined && maxItems === undefined ? ANY : LIST,
  ]
  return wanted.reduce(both)
}

/** equals: "abc" can stand beside prefix, but not beside min, which needs "5" or 5; any text is judged by either. */
function scalarTypes(values: Scalar[]): ReadonlySet<ValueType> {
  return new Set(
    values.flatMap((value): ValueType[] => {
      if (typeof value === 'number') return ['number']
      if (typeof value === 'boolean') return ['boolean']
      return isDecimalText(value) ? ['text', 'decimal'] : ['text']
    }),
  )
}

const both = (a: ReadonlySet<ValueType>, b: ReadonlySet<ValueType>): ReadonlySet<ValueType> =>
  a === ANY ? b : b === ANY ? a : new Set([...a].filter((type) => b.has(type)))

/**
 * Finds constraints of a list (already checked one by one) that can never all be true because one of them always errs
 * where another does not: operators of different types on one path, a path inside a value that is no object, something
 * asked of an argument that has to be absent; and lists of values that have none in common. Optional constraints, which
 * hold without the argument, and negated ones where they only name values, contradict nothing.
 */
export function checkTogether(list: Constraint[], field: string, found: Problems): void {
  const needed = new Map<string, { types: ReadonlySet<ValueType>; index: number }>()
  const need = (path: string, types: ReadonlySet<ValueType>, index: number): boolean => {
    const before = needed.get(path)
    const now = both(before?.types ?? ANY, types)
    needed.set(path, { types: now, index })
    if (now.size > 0) return true
    const detail =
      before === undefined || before.index === index
        ? `asks for two types of ${path} at once, so it always errors`
        : `needs ${names(types)} where constraint ${before.index} needs ${names(before.types)} for ${path}, so it always errors`
    found.at(`${field}[${index}]`, list[index], 'PolicyInvalid', detail, 'Remove or mend one of the two.')
    return false
  }
  for (const [index, constraint] of list.entries()) {
    const { arg, optional } = constraint
    if (arg === undefined || optional === true || isAbsence(constraint)) continue
    const types = typesOf(constraint)
    if (types.size === 0) {
      need(arg, types, index)
      return
    }
    for (const [parent, type] of parents(arg)) if (!need(parent, type, index)) return
    if (!need(arg, types, index)) return
  }
  checkAbsent(list, field, needed, found)
  checkValues(list, field, found)
}

const isAbsence = ({ absent, not }: Constraint): boolean => absent === true || not?.required === true

/** "a[*].b" -> a is a list, a[*] an object. */
function parents(arg: string): [string, ReadonlySet<ValueType>][] {
  return [...arg.matchAll(/\.|\[\*\]/g)].map((step) => [arg.slice(0, step.index), step[0] === '.' ? OBJECT : LIST])
}

function checkAbsent(list: Constraint[], field: string, needed: Map<string, { index: number }>, found: Problems): void {
  for (const [index, constraint] of list.entries()) {
    const other = isAbsence(constraint) ? needed.get(constraint.arg as string) : undefined
    if (other === undefined) continue
    const detail = `needs ${constraint.arg} to be absent, and constraint ${other.index} needs it`
    found.at(`${field}[${index}]`, constraint, 'PolicyInvalid', detail, 'Remove one of the two.')
    return
  }
}

/** Two lists of allowed values for one argument that have none in common. */
function checkValues(list: Constraint[], field: string, found: Problems): void {
  const allowed = new Map<string, Set<Scalar>>()
  for (const [index, constraint] of list.entries()) {
    const { arg, optional, equals } = constraint
    const sets = [constraint.in, equals === undefined ? undefined : [equals]].filter((set) => set !== undefined)
    if (arg === undefined || optional === true || arg.includes('[*]')) continue
    for (const set of sets) {
      const before = allowed.get(arg)
      const now = new Set(before === undefined ? set : set.filter((value) => before.has(value)))
      allowed.set(arg, now)
      if (now.size > 0) continue
      const detail = `allows no value of ${arg} that another constraint allows, so no call can pass`
      found.at(`${field}[${index}]`, constraint, 'PolicyInvalid', detail, 'Remove or mend one of the two.')
      return
    }
  }
}

/** Types as people read them. */
export const TYPE_NAMES: Record<ValueType, string> = {
  text: 'a text',
  decimal: 'a decimal as text',
  number: 'a number',
  boolean: 'a truth value',
  list: 'a list',
  object: 'an object',
}
const names = (types: ReadonlySet<ValueType>): string => [...types].map((type) => TYPE_NAMES[type]).join(' or ')

/** For checking `not`, which holds one operator: its name, a range counting as one. */
export function operatorNames(operators: NegatedConstraint): string[] {
  const names = Object.keys(operators).filter((name) => operators[name as keyof NegatedConstraint] !== undefined)
  const drop = new Set([names.includes('min') ? 'max' : '', names.includes('minItems') ? 'maxItems' : ''])
  return names.filter((name) => !drop.has(name))
}

import type { Constraint, NegatedConstraint } from '../api/gen/types.ts'
import { checkTogether, operatorNames } from './constraint-types.ts'
import { bound, isDecimalText } from './decimal.ts'
import { isObject } from './json-rpc.ts'
import { checkOperands } from './operand-check.ts'
import { OPERATORS } from './operator.ts'
import { parsePath } from './path.ts'
import type { Problems } from './problem.ts'

const KNOWN = new Set<string>([...OPERATORS, 'cel'])

/** Checks a rule's list of constraints (`where` or `unless`) at `field`. */
export function checkConstraints(list: Constraint[], field: string, found: Problems): void {
  if (!Array.isArray(list) || list.length === 0) {
    const name = field.slice(field.lastIndexOf('.') + 1)
    found.at(field, list, 'PolicyInvalid', 'is an empty list', `Leave ${name} out, or list a constraint.`)
    return
  }
  const before = found.list.length
  for (const [index, constraint] of list.entries()) checkConstraint(constraint, `${field}[${index}]`, found)
  checkRanges(list, field, found)
  if (found.list.length === before) checkTogether(list, field, found)
}

function checkConstraint(constraint: Constraint, field: string, found: Problems): void {
  if (!isObject(constraint)) {
    const fix = 'Write {arg: amount, max: "50.00"}, for example.'
    found.at(field, constraint, 'PolicyInvalid', 'is not a constraint', fix)
    return
  }
  const { arg, optional, not, ...operators } = constraint
  if (optional !== undefined && typeof optional !== 'boolean') {
    const fix = 'Write optional: true, or leave it out.'
    found.at(`${field}.optional`, optional, 'PolicyInvalid', 'is not true or false', fix)
  }
  const cel = operators.cel ?? (isObject(not) ? not.cel : undefined)
  if (cel !== undefined) checkAlone(constraint, field, found)
  else if (arg === undefined) {
    found.at(field, constraint, 'PolicyInvalid', 'names no argument', 'Add arg, for example arg: amount.')
  }
  if (arg !== undefined && (typeof arg !== 'string' || parsePath(arg) === undefined)) {
    const fix = 'Write names joined by dots, [*] for every element of a list: items[*].price.'
    found.at(`${field}.arg`, arg, 'PolicyInvalid', 'is not a path into the arguments', fix)
  }
  if (not === undefined) checkOperators(operators, field, found)
  else if (Object.keys(operators).length > 0) {
    const fix = 'Write two constraints; all of a list must hold.'
    found.at(field, constraint, 'PolicyInvalid', 'has an operator beside not', fix)
  } else if (isObject(not)) {
    checkOperators(not, `${field}.not`, found)
    const names = operatorNames(not)
    if (names.length > 1) {
      const detail = `has ${names.length} operators (${names.join(', ')})`
      found.at(`${field}.not`, not, 'PolicyInvalid', detail, 'Write one constraint with not for each.')
    }
  } else found.at(`${field}.not`, not, 'PolicyInvalid', 'is not an operator', 'Write not: {equals: EUR}, for example.')
  if (isObject(not) || not === undefined) checkPresence(constraint, not ?? operators, field, found)
}

/** `cel` speaks of all arguments, so nothing can be said of one beside it. */
function checkAlone(constraint: Constraint, field: string, found: Problems): void {
  const beside = Object.keys(constraint).filter((name) => name !== 'cel' && name !== 'not')
  if (constraint.not !== undefined) beside.push(...Object.keys(constraint.not).filter((name) => name !== 'cel'))
  if (beside.length === 0) return
  const fix = 'Write cel alone; use has(args.a) for an argument that may be missing.'
  found.at(field, constraint, 'PolicyInvalid', `has ${beside.join(', ')} beside cel`, fix)
}

function checkOperators(operators: NegatedConstraint, field: string, found: Problems): void {
  const names = Object.keys(operators).filter((name) => operators[name as keyof NegatedConstraint] !== undefined)
  const use = `se one of ${[...KNOWN].join(', ')}.`
  for (const name of names) {
    if (KNOWN.has(name)) continue
    found.at(`${field}.${name}`, undefined, 'PolicyInvalid', 'is not an operator', `U${use}`)
  }
  if (names.length === 0) found.at(field, operators, 'PolicyInvalid', 'has no operator', `Add an operator: u${use}`)
  checkOperands(operators, field, found)
}

/** required, absent and optional contradict one another, and absent everything that looks at a value. */
function checkPresence(constraint: Constraint, operators: NegatedConstraint, field: string, found: Problems): void {
  const { required, absent } = operators
  const fix = 'Remove one of the two.'
  const optional = constraint.optional === true
  if (required === true && absent === true) {
    found.at(field, undefined, 'PolicyInvalid', 'is both required and absent', fix)
  } else if (optional && (required === true || absent === true)) {
    const name = required === true ? 'required' : 'absent'
    found.at(field, undefined, 'PolicyInvalid', `is both ${name} and optional`, fix)
  } else if (absent === true && operatorNames(operators).length > 1) {
    found.at(field, constraint, 'PolicyInvalid', 'looks at an argument that has to be absent', 'Remove absent.')
  }
}

/** A bound above its counterpart, in one constraint or across the list, can never hold. */
function checkRanges(list: Constraint[], field: string, found: Problems): void {
  for (const [low, high, above] of RANGES) {
    const lows = list.flatMap((constraint, index) => bounds(constraint, index, low))
    const highs = list.flatMap((constraint, index) => bounds(constraint, index, high))
    for (const from of lows) {
      const to = highs.find((other) => other.arg === from.arg && above(from.value, other.value))
      if (to === undefined) continue
      const detail = `is above the ${high} of ${to.value} for ${from.path}, so no call can pass`
      const at = `${field}[${from.index}]${from.inside}.${low}`
      found.at(at, from.value, 'PolicyInvalid', detail, 'Swap or mend the two.')
    }
  }
}

type Bound = string | number
const RANGES: ['min' | 'minItems', 'max' | 'maxItems', (low: Bound, high: Bound) => boolean][] = [
  ['min', 'max', (low, high) => bound(String(low)).gt(bound(String(high)))],
  ['minItems', 'maxItems', (low, high) => low > high],
]

function bounds(constraint: Constraint, index: number, name: 'min' | 'max' | 'minItems' | 'maxItems') {
  if (!isObject(constraint) || (constraint.not !== undefined && !isObject(constraint.not))) return []
  const inside = constraint.not === undefined ? '' : '.not'
  const value = (constraint.not ?? constraint)[name]
  const fits = name.endsWith('Items') ? Number.isInteger(value) : typeof value === 'string' && isDecimalText(value)
  if (!fits) return []
  // Under `not` two constraints are two statements; only bounds of one belong together.
  const arg = `${constraint.arg}${inside === '' ? '' : ` (not, ${index})`}`
  return [{ value: value as Bound, index, inside, arg, path: constraint.arg }]
}

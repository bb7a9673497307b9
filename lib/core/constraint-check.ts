import type { Constraint } from '../api/gen/types.ts'
import { bound, isDecimalText } from './decimal.ts'
import { OPERATORS } from './operator.ts'
import { parsePath } from './path.ts'
import type { Problems } from './problem.ts'

const KNOWN = new Set<string>(OPERATORS)
const LATER = new Set(['notIn', 'absent', 'cidr', 'pattern', 'subsetOf', 'minItems', 'maxItems', 'cel'])

/** Checks a rule's list of constraints (`where` or `unless`) at `field`. */
export function checkConstraints(list: Constraint[], field: string, found: Problems): void {
  if (!Array.isArray(list) || list.length === 0) {
    const name = field.slice(field.lastIndexOf('.') + 1)
    found.at(field, list, 'PolicyInvalid', 'is an empty list', `Leave ${name} out, or list a constraint.`)
    return
  }
  for (const [index, constraint] of list.entries()) checkConstraint(constraint, `${field}[${index}]`, found)
  checkRanges(list, field, found)
}

function checkConstraint(constraint: Constraint, field: string, found: Problems): void {
  if (!isObject(constraint)) {
    found.at(
      field,
      constraint,
      'PolicyInvalid',
      'is not a constraint',
      'Write {arg: amount, max: "50.00"}, for example.',
    )
    return
  }
  const { arg, optional, not, ...operators } = constraint
  if (arg === undefined && constraint.cel === undefined) {
    found.at(field, constraint, 'PolicyInvalid', 'names no argument', 'Add arg, for example arg: amount.')
  }
  if (arg !== undefined && (typeof arg !== 'string' || parsePath(arg) === undefined)) {
    const fix = 'Write names joined by dots, [*] for every element of a list: items[*].price.'
    found.at(`${field}.arg`, arg, 'PolicyInvalid', 'is not a path into the arguments', fix)
  }
  if (optional !== undefined && typeof optional !== 'boolean') {
    found.at(
      `${field}.optional`,
      optional,
      'PolicyInvalid',
      'is not true or false',
      'Write optional: true, or leave it out.',
    )
  }
  if (not === undefined) checkOperators(operators, field, optional === true, found)
  else if (Object.keys(operators).length > 0) {
    found.at(
      field,
      constraint,
      'PolicyInvalid',
      'has an operator beside not',
      'Write two constraints; all of a list must hold.',
    )
  } else if (isObject(not)) checkOperators(not, `${field}.not`, optional === true, found)
  else found.at(`${field}.not`, not, 'PolicyInvalid', 'is not an operator', 'Write not: {equals: EUR}, for example.')
}

function checkOperators(
  operators: Omit<Constraint, 'arg' | 'not' | 'optional'>,
  field: string,
  optional: boolean,
  found: Problems,
): void {
  const names = Object.keys(operators).filter((name) => operators[name as keyof typeof operators] !== undefined)
  for (const name of names) {
    if (LATER.has(name)) {
      found.at(`${field}.${name}`, undefined, 'PolicyUnsupported', 'is not enforced by this version', 'Remove it.')
    } else if (!KNOWN.has(name)) {
      found.at(
        `${field}.${name}`,
        undefined,
        'PolicyInvalid',
        'is not an operator',
        `Use one of ${OPERATORS.join(', ')}.`,
      )
    }
  }
  const range = names.length === 2 && names.includes('min') && names.includes('max')
  if (names.length === 0) {
    found.at(field, operators, 'PolicyInvalid', 'has no operator', `Add one of ${OPERATORS.join(', ')}.`)
  } else if (names.length > 1 && !range) {
    const detail = `has ${names.length} operators (${names.join(', ')})`
    found.at(field, operators, 'PolicyInvalid', detail, 'Write one constraint for each; all of a list must hold.')
  }
  checkOperands(operators, field, optional, found)
}

function checkOperands(
  operators: Omit<Constraint, 'arg' | 'not' | 'optional'>,
  field: string,
  optional: boolean,
  found: Problems,
): void {
  const { equals, prefix, suffix, min, max, required } = operators
  const many = operators.in
  if (equals !== undefined) checkScalar(equals, `${field}.equals`, found)
  if (many !== undefined) {
    if (!Array.isArray(many) || many.length === 0) {
      found.at(`${field}.in`, many, 'PolicyInvalid', 'lists no values', 'List the values that are allowed.')
    } else for (const [index, value] of many.entries()) checkScalar(value, `${field}.in[${index}]`, found)
  }
  for (const [name, text] of [
    ['prefix', prefix],
    ['suffix', suffix],
  ] as const) {
    if (text !== undefined && (typeof text !== 'string' || text === '')) {
      const fix = `Write what the text must ${name === 'prefix' ? 'begin' : 'end'} with, or remove it.`
      found.at(`${field}.${name}`, text, 'PolicyInvalid', 'is not a text of at least one character', fix)
    }
  }
  if (typeof prefix === 'string' && /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*$/i.test(prefix)) {
    const detail = 'ends within a host name, so another host begins with it too'
    found.at(`${field}.prefix`, prefix, 'PolicyInvalid', detail, 'End it with a slash: "https://corp.example/".')
  }
  for (const [name, text] of [
    ['min', min],
    ['max', max],
  ] as const) {
    if (text !== undefined && (typeof text !== 'string' || !isDecimalText(text))) {
      const fix = 'Write digits with at most one dot, in quotes: "50.00".'
      found.at(`${field}.${name}`, text, 'PolicyInvalid', 'is not a plain decimal in quotes', fix)
    }
  }
  if (required !== undefined && required !== true) {
    found.at(`${field}.required`, required, 'PolicyInvalid', 'can only be true', 'Write required: true, or remove it.')
  }
  if (required !== undefined && optional) {
    found.at(field, undefined, 'PolicyInvalid', 'is both required and optional', 'Remove one of the two.')
  }
}

/** A bound above its counterpart, in one constraint or across the list, can never hold. */
function checkRanges(list: Constraint[], field: string, found: Problems): void {
  const lows = list.flatMap((constraint, index) => bounds(constraint, index, 'min'))
  const highs = list.flatMap((constraint, index) => bounds(constraint, index, 'max'))
  for (const low of lows) {
    const high = highs.find((other) => other.arg === low.arg && bound(low.text).gt(bound(other.text)))
    if (high !== undefined) {
      const detail = `is above the max of ${high.text} for ${low.arg}, so no call can pass`
      found.at(`${field}[${low.index}]${low.inside}.min`, low.text, 'PolicyInvalid', detail, 'Swap or mend the two.')
    }
  }
}

function bounds(constraint: Constraint, index: number, name: 'min' | 'max') {
  if (!isObject(constraint) || (constraint.not !== undefined && !isObject(constraint.not))) return []
  const inside = constraint.not === undefined ? '' : '.not'
  const text = (constraint.not ?? constraint)[name]
  if (typeof text !== 'string' || !isDecimalText(text)) return []
  return [{ text, index, inside, arg: `${constraint.arg}${inside === '' ? '' : ` (not, ${index})`}` }]
}

function checkScalar(value: unknown, field: string, found: Problems): void {
  if (typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number' && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)))
    return
  const fix = 'Write a text, true, false, or a number of at most 15 digits.'
  found.at(field, value, 'PolicyInvalid', 'is not a single value that can be compared exactly', fix)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

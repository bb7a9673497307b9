import type { NegatedConstraint } from '../api/gen/types.ts'
import { compileCel } from './cel.ts'
import { parseNetwork } from './cidr.ts'
import { isDecimalText } from './decimal.ts'
import { compilePattern } from './pattern.ts'
import type { Problems } from './problem.ts'

type Check = (operand: unknown, field: string, found: Problems) => void

/** Checks what each operator of a constraint, or of its `not`, is given. */
export function checkOperands(operators: NegatedConstraint, field: string, found: Problems): void {
  for (const [name, check] of Object.entries(CHECKS)) {
    const operand = operators[name as keyof NegatedConstraint]
    if (operand !== undefined) check(operand, `${field}.${name}`, found)
  }
}

const values: Check = (operand, field, found) => {
  if (Array.isArray(operand) && operand.length > 0) {
    for (const [index, value] of operand.entries()) checkScalar(value, `${field}[${index}]`, found)
  } else found.at(field, operand, 'PolicyInvalid', 'lists no values', 'List the values that are meant.')
}

const affix =
  (end: 'begin' | 'end'): Check =>
  (operand, field, found) => {
    if (typeof operand !== 'string' || operand === '') {
      const fix = `Write what the text must ${end} with, or remove it.`
      found.at(field, operand, 'PolicyInvalid', 'is not a text of at least one character', fix)
    } else if (end === 'begin' && /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*$/i.test(operand)) {
      const detail = 'ends within a host name, so another host begins with it too'
      found.at(field, operand, 'PolicyInvalid', detail, 'End it with a slash: "https://corp.example/".')
    }
  }

const decimal: Check = (operand, field, found) => {
  if (typeof operand === 'string' && isDecimalText(operand)) return
  const fix = 'Write digits with at most one dot, in quotes: "50.00".'
  found.at(field, operand, 'PolicyInvalid', 'is not a plain decimal in quotes', fix)
}

const count: Check = (operand, field, found) => {
  if (Number.isInteger(operand) && (operand as number) >= 0 && (operand as number) < 2 ** 31) return
  found.at(field, operand, 'PolicyInvalid', 'is not a number of elements', 'Write a whole number from 0.')
}

const onlyTrue: Check = (operand, field, found) => {
  if (operand === true) return
  const name = field.slice(field.lastIndexOf('.') + 1)
  found.at(field, operand, 'PolicyInvalid', 'can only be true', `Write ${name}: true, or remove it.`)
}

const cidr: Check = (operand, field, found) => {
  const network =
    typeof operand === 'string'
      ? parseNetwork(operand)
      : { problem: 'is not a network', fix: 'Write an address and a length: 10.0.0.0/8.' }
  if ('problem' in network) found.at(field, operand, 'PolicyInvalid', network.problem, network.fix)
}

const pattern: Check = (operand, field, found) => {
  if (typeof operand !== 'string' || operand === '') {
    const fix = 'Write an expression such as "^T-[0-9]+$".'
    found.at(field, operand, 'PolicyInvalid', 'is not a text of at least one character', fix)
    return
  }
  const compiled = compilePattern(operand)
  if (!('problem' in compiled)) return
  const fix = 'Write an expression of RE2, which has no lookaround and no backreferences; keep repetitions small.'
  found.at(field, operand, 'PolicyInvalid', compiled.problem, fix)
}

const cel: Check = (operand, field, found) => {
  if (typeof operand !== 'string' || operand.trim() === '') {
    const fix = 'Write an expression such as "args.from != args.to".'
    found.at(field, operand, 'PolicyInvalid', 'is not a text of at least one character', fix)
    return
  }
  const compiled = operand.length > 4096 ? { problem: 'has more than 4096 characters' } : compileCel(operand)
  if (!('problem' in compiled)) return
  const fix = 'Write a CEL expression over args, server and tool that is true or false.'
  found.at(field, operand, 'PolicyInvalid', `is not an expression: ${compiled.problem}`, fix)
}

const CHECKS: Record<keyof Required<NegatedConstraint>, Check> = {
  equals: (operand, field, found) => checkScalar(operand, field, found),
  in: values,
  notIn: values,
  prefix: affix('begin'),
  suffix: affix('end'),
  min: decimal,
  max: decimal,
  cidr,
  pattern,
  subsetOf: values,
  minItems: count,
  maxItems: count,
  required: onlyTrue,
  absent: onlyTrue,
  cel,
}

function checkScalar(value: unknown, field: string, found: Problems): void {
  if (typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number' && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)))
    return
  const fix = 'Write a text, true, false, or a number of at most 15 digits.'
  found.at(field, value, 'PolicyInvalid', 'is not a single value that can be compared exactly', fix)
}

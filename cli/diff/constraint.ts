import type { Constraint } from '../../lib/api/gen/types.ts'
import { parsePath, type Step } from '../../lib/core/path.ts'
import { type Atoms, opaque } from './atoms.ts'
import { encodeOperator, opposite } from './operators.ts'
import type { Operator } from './sampled.ts'
import { and, FALSE, not, or, type Term, TRUE } from './smt.ts'
import { is, type Node, type Places, resolve } from './tree.ts'

/** What a constraint says of a call: exactly one of the four holds. */
export interface Truth {
  true: Term
  false: Term
  /** A `[*]` over an empty list. */
  nothing: Term
  error: Term
}

/** The paths a constraint looks at: of subsetOf also that of the elements. */
export function pathsOf({ arg, not: negated, subsetOf }: Constraint): Step[][] {
  if (arg === undefined) return []
  const steps = parsePath(arg) ?? []
  return subsetOf !== undefined || negated?.subsetOf !== undefined ? [steps, [...steps, { each: true }]] : [steps]
}

/** @param root of what the path leads into: the arguments, or an object that was read */
export function encodeConstraint(
  atoms: Atoms,
  root: Node,
  constraint: Constraint,
  quantifier: 'every' | 'some',
): Truth {
  const { arg, not: negated, optional, ...bare } = constraint
  const { cel, ...operator } = negated ?? bare
  if (cel !== undefined) return celTruth(atoms, root, cel, negated !== undefined)
  const places = resolve(root, parsePath(arg as string) as Step[])
  const wary = (negated !== undefined) !== (quantifier === 'some')
  const parts = negated === undefined ? singles(operator) : [operator]
  const tests = parts.map((part) =>
    testOf(atoms, part, { negated: negated !== undefined, wary, optional: optional === true }),
  )
  const found = findings(places, tests)
  return combine(found, quantifier)
}

/** The operators of a constraint, each by itself; the ends of a range are one. */
function singles(operator: Operator): Operator[] {
  const { min, max, minItems, maxItems, ...others } = operator
  const range = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) }
  const items = { ...(minItems === undefined ? {} : { minItems }), ...(maxItems === undefined ? {} : { maxItems }) }
  const rest = Object.entries(others).filter(([, value]) => value !== undefined)
  return [...rest.map(([name, value]) => ({ [name]: value }) as Operator), range, items].filter(
    (part) => Object.keys(part).length > 0,
  )
}

type Found = { kind: 'missing' } | { kind: 'value'; node: Node }
/** Of one place: true, or an error, else false. */
type Test = (found: Found) => { true: Term; error: Term }

interface How {
  negated: boolean
  wary: boolean
  optional: boolean
}

function testOf(atoms: Atoms, operator: Operator, { negated, wary, optional }: How): Test {
  if (operator.required || operator.absent) {
    const wanted = (operator.required === true) !== negated
    return (found) =>
      found.kind === 'missing'
        ? { true: wanted ? FALSE : TRUE, error: FALSE }
        : { true: wanted ? not(is(found.node, 'Null')) : FALSE, error: is(found.node, 'Null') }
  }
  return (found) => {
    if (found.kind === 'missing') return optional ? { true: TRUE, error: FALSE } : { true: FALSE, error: TRUE }
    const tri = encodeOperator(atoms, found.node, operator, wary)
    return negated ? opposite(tri) : tri
  }
}

/** Whether some place shows this. */
interface Findings {
  errors: Term
  falses: Term
  empties: Term
  trues: Term
}

function findings(places: Places, tests: Test[]): Findings {
  const errors = [...places.errors]
  const falses: Term[] = []
  const trues: Term[] = []
  const look = (when: Term, found: Found): void => {
    const tris = tests.map((test) => test(found))
    const error = or(...tris.map((tri) => tri.error))
    const all = and(...tris.map((tri) => tri.true))
    errors.push(and(when, error))
    trues.push(and(when, all))
    falses.push(and(when, not(error), not(all)))
  }
  for (const when of places.missing) look(when, { kind: 'missing' })
  for (const { when, node } of places.values) look(when, { kind: 'value', node })
  return { errors: or(...errors), falses: or(...falses), empties: or(...places.empties), trues: or(...trues) }
}

function combine({ errors, falses, empties, trues }: Findings, quantifier: 'every' | 'some'): Truth {
  const order: [keyof Truth, Term][] =
    quantifier === 'every'
      ? [
          ['error', errors],
          ['false', falses],
          ['nothing', empties],
        ]
      : [
          ['error', errors],
          ['true', trues],
          ['nothing', empties],
        ]
  const truth: Truth = { true: FALSE, false: FALSE, nothing: FALSE, error: FALSE }
  const before: Term[] = []
  for (const [name, term] of order) {
    truth[name] = and(...before.map(not), term)
    before.push(term)
  }
  truth[quantifier === 'every' ? 'true' : 'false'] = and(...before.map(not))
  return truth
}

/** CEL is not looked into: an expression is the same unknown wherever it is written the same way about the same thing. */
function celTruth(atoms: Atoms, root: Node, cel: string, negated: boolean): Truth {
  const tri = opaque(atoms, { of: root.id, cel })
  atoms.opaque.add(cel)
  const found = negated ? opposite(tri) : tri
  return { true: found.true, false: and(not(found.true), not(found.error)), nothing: FALSE, error: found.error }
}

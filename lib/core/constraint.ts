import type { Constraint } from '../api/gen/types.ts'
import { compileOperator, type Operator } from './operator.ts'
import { type Found, parsePath, resolvePath, typeName } from './path.ts'
import { shown } from './quote.ts'
import type { Json } from './strict.ts'

/**
 * What a constraint says about a call. `nothing` is a `[*]` over an empty list: a rule that gives takes it for false,
 * a rule that restricts takes it for not shown. `what` and `wants` make up the sentence "<what>; <rule> allows <wants>".
 */
export type Truth =
  | { is: 'true' }
  | { is: 'false' | 'nothing'; what: string; wants: string }
  | { is: 'error'; what: string }

/**
 * How the elements behind `[*]` count: in what gives or lifts (`where` of Allow and Ask, `unless`) every one must hold;
 * a Deny rule is shown not to apply only when it is false for every one, so one true element is enough.
 */
export type Quantifier = 'every' | 'some'

/** The call's tool, which `cel` may speak of. */
export interface About {
  server: string
  tool: string
}

export type Evaluate = (args: Json, about: About) => Truth

const TRUE: Truth = { is: 'true' }

/**
 * Compiles one checked constraint. Throws an Error for what checkPolicy refuses.
 *
 * @param withheld whether the argument is redacted: sentences then say so instead of its value; the truth is the same
 */
export function compileConstraint(constraint: Constraint, quantifier: Quantifier, withheld: boolean): Evaluate {
  const steps = parsePath(constraint.arg ?? '')
  if (steps === undefined) throw new Error('a constraint whose arg is not a path')
  const test = constraint.not?.required || constraint.required ? presence(constraint) : comparison(constraint, withheld)
  return (args) => combine(resolvePath(args, steps).map(test), quantifier)
}

type Test = (found: Found) => Truth

function presence(constraint: Constraint): Test {
  const wanted = constraint.not === undefined
  return (found) => {
    if (found.kind === 'error') return { is: 'error', what: found.detail }
    const wants = `calls ${wanted ? 'with' : 'without'} ${found.where}`
    if (found.kind === 'empty') return { is: 'nothing', what: `${found.where} is empty`, wants }
    if (found.kind === 'value' && found.value === null) return { is: 'error', what: `${found.where} is null` }
    if ((found.kind === 'value') === wanted) return TRUE
    return { is: 'false', what: `${found.where} is ${wanted ? 'missing' : 'given'}`, wants }
  }
}

function comparison(constraint: Constraint, withheld: boolean): Test {
  const operator: Operator = compileOperator(constraint.not ?? constraint)
  const negated = constraint.not !== undefined
  const wants = negated ? `anything but ${operator.wants}` : operator.wants
  return (found) => {
    if (found.kind === 'error') return { is: 'error', what: found.detail }
    if (found.kind === 'empty') return { is: 'nothing', what: `${found.where} is empty`, wants }
    if (found.kind === 'missing') return constraint.optional ? TRUE : { is: 'error', what: `${found.where} is missing` }
    const { value, where } = found
    if (value === null || typeof value === 'object') {
      return { is: 'error', what: `${where} is ${typeName(value)}, not a single value` }
    }
    const what = withheld ? `${where} is withheld` : `${where} is ${shown(value)}`
    const holds = operator.holds(value)
    if (typeof holds === 'object') return { is: 'error', what: `${what}, ${holds.problem}` }
    return holds !== negated ? TRUE : { is: 'false', what, wants }
  }
}

/** An error anywhere is an error; otherwise the weakest (every) or the strongest (some) finding counts. */
function combine(truths: Truth[], quantifier: Quantifier): Truth {
  const order: Truth['is'][] =
    quantifier === 'every' ? ['error', 'false', 'nothing'] : ['error', 'true', 'nothing', 'false']
  for (const is of order) {
    const found = truths.find((truth) => truth.is === is)
    if (found !== undefined) return found
  }
  return TRUE
}

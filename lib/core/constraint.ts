import type { Constraint, NegatedConstraint } from '../api/gen/types.ts'
import { compileCel } from './cel.ts'
import { compileOperator, type Holds, OPERATORS, type Operator } from './operator.ts'
import { compileListOperator } from './operator-list.ts'
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
  /** What paths lead to in these arguments, by path: the rules of one decision look at the same ones again and again. */
  resolved?: Map<string, Found[]>
}

export type Evaluate = (args: Json, about: About) => Truth

const TRUE: Truth = { is: 'true' }

/**
 * Compiles one checked constraint. Throws an Error for what checkPolicy refuses.
 *
 * @param withheld whether the argument is redacted: sentences then say so instead of its value; the truth is the same
 */
export function compileConstraint(constraint: Constraint, quantifier: Quantifier, withheld: boolean): Evaluate {
  const { arg, not, optional } = constraint
  const cel = not?.cel ?? constraint.cel
  if (cel !== undefined) return expression(cel, not !== undefined)
  const steps = parsePath(arg ?? '')
  if (steps === undefined) throw new Error('a constraint whose arg is not a path')
  // What passes by not being what is written: see compileOperator.
  const wary = (not !== undefined) !== (quantifier === 'some')
  const tests = split(not ?? constraint).map((single): Test => {
    const wanted = not === undefined
    if (single.required) return presence(wanted)
    if (single.absent) return presence(!wanted)
    return comparison(single, { wanted, optional: optional === true, wary, withheld })
  })
  const [test] = tests
  if (test === undefined) throw new Error('a constraint without an operator')
  const all: Test =
    tests.length === 1
      ? test
      : (found) =>
          combine(
            tests.map((each) => each(found)),
            'every',
          )
  const path = arg as string
  return (args, { resolved }) => {
    let found = resolved?.get(path)
    if (found === undefined) {
      found = resolvePath(args, steps)
      resolved?.set(path, found)
    }
    return found.length === 1 ? all(found[0] as Found) : combine(found.map(all), quantifier)
  }
}

type Test = (found: Found) => Truth

/** One constraint for each operator; bounds that belong together stay together. */
function split(constraint: NegatedConstraint): NegatedConstraint[] {
  const { min, max, minItems, maxItems, ...others } = constraint
  const singles = OPERATORS.flatMap((name): NegatedConstraint[] => {
    const operand = others[name as keyof typeof others]
    return operand === undefined ? [] : [{ [name]: operand }]
  })
  if (min !== undefined || max !== undefined) singles.push({ min, max })
  if (minItems !== undefined || maxItems !== undefined) singles.push({ minItems, maxItems })
  return singles
}

function presence(wanted: boolean): Test {
  return (found) => {
    if (found.kind === 'error') return { is: 'error', what: found.detail }
    const wants = `calls ${wanted ? 'with' : 'without'} ${found.where}`
    if (found.kind === 'empty') return { is: 'nothing', what: `${found.where} is empty`, wants }
    if (found.kind === 'value' && found.value === null) return { is: 'error', what: `${found.where} is null` }
    if ((found.kind === 'value') === wanted) return TRUE
    return { is: 'false', what: `${found.where} is ${wanted ? 'missing' : 'given'}`, wants }
  }
}

interface How {
  wanted: boolean
  optional: boolean
  wary: boolean
  withheld: boolean
}

function comparison(single: NegatedConstraint, { wanted, optional, wary, withheld }: How): Test {
  const lists = compileListOperator(single, wary)
  const operator = lists === undefined ? compileOperator(single, wary) : undefined
  const allowed = (lists ?? (operator as Operator)).wants
  const wants = wanted ? allowed : allowed.startsWith(BUT) ? allowed.slice(BUT.length) : `${BUT}${allowed}`
  const judged = (holds: Holds, what: () => string): Truth => {
    if (typeof holds === 'object') return { is: 'error', what: `${what()}, ${holds.problem}` }
    return holds === wanted ? TRUE : { is: 'false', what: what(), wants }
  }
  return (found) => {
    const { where } = found
    if (found.kind === 'error') return { is: 'error', what: found.detail }
    if (found.kind === 'empty') return { is: 'nothing', what: `${where} is empty`, wants }
    if (found.kind === 'missing') return optional ? TRUE : { is: 'error', what: `${where} is missing` }
    const { value } = found
    if (lists !== undefined) {
      if (!Array.isArray(value)) return { is: 'error', what: `${where} is ${typeName(value)}, not a list` }
      return judged(lists.holds(value), () => `${where} ${lists.says(value, withheld)}`)
    }
    if (value === null || typeof value === 'object') {
      return { is: 'error', what: `${where} is ${typeName(value)}, not a single value` }
    }
    const holds = (operator as Operator).holds(value)
    return judged(holds, () => (withheld ? `${where} is withheld` : `${where} is ${shown(value)}`))
  }
}
const BUT = 'anything but '

function expression(source: string, negated: boolean): Evaluate {
  const compiled = compileCel(source)
  if ('problem' in compiled) throw new Error('a constraint whose cel does not compile')
  const text = brief(source)
  const wants = `calls for which it ${negated ? 'does not hold' : 'holds'}`
  return (args, about) => {
    const holds = compiled.holds(args, about)
    if (typeof holds === 'object') return { is: 'error', what: `${text}: ${holds.problem}` }
    return holds !== negated ? TRUE : { is: 'false', what: `${text} ${negated ? 'holds' : 'does not hold'}`, wants }
  }
}

/** The expression on one line, in quotes, at most 80 characters of it. */
const brief = (source: string): string => shown(source.replace(/\s+/g, ' ').trim())

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

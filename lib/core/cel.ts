import { type ASTNode, Environment } from '@marcbachmann/cel-js'
import { celNode, type Names } from './cel-node.ts'
import { type Fault, isFault, type Run } from './cel-value.ts'
import type { About } from './constraint.ts'
import type { Json } from './strict.ts'

/** Steps one evaluation may take; a step is a node, an element, or some characters of a text: about 5 ms at most. */
const STEPS = 100_000
/** Comprehensions inside one another. */
const MAX_NESTED = 3

const environment = new Environment({
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 500, maxDepth: 40, maxListElements: 256 },
})
  .registerVariable('args', 'dyn')
  .registerVariable('server', 'string')
  .registerVariable('tool', 'string')
// For the type checker: numbers are one type here. It evaluates nothing, so no handler is ever called.
const never = (): never => {
  throw new Error('an operator of the type checker was called')
}
environment.registerOperator('int == double', never)
for (const op of ['+', '-', '*', '/']) {
  environment.registerOperator(`int ${op} double: double`, never)
  environment.registerOperator(`double ${op} int: double`, never)
}

/** A compiled expression: whether it holds, or why that cannot be said, in words that show no value. */
export interface Expression {
  holds: (args: Json, about: About) => boolean | { problem: string }
}

/**
 * Compiles a CEL expression over args, server and tool, or says what is wrong with it. Parsed and type-checked by
 * cel-js; what is evaluated is a closed part of CEL (see celNode), on the JSON itself, in a bounded number of steps:
 *
 * - Nothing is coerced. Comparing values of different types is a fault (null may be compared with anything); there are
 *   no conversions, timestamps, bytes or map literals.
 * - A JSON number is its decimal: 12 and 12.0 are one number, arithmetic is exact, and a result that a JSON number
 *   cannot hold exactly is a fault, as is an integer beyond 64 bits and a division with a remainder.
 * - A field that is missing is a fault; has(args.a) asks first. As everywhere in CEL, && and || with a decisive side
 *   do not look at a fault on the other.
 */
export function compileCel(source: string): Expression | { problem: string } {
  const parsed = parse(source)
  if ('problem' in parsed) return parsed
  const names: Names = { slots: new Map(), used: 0, nested: 0, deepest: MAX_NESTED }
  let run: Run
  try {
    run = celNode(parsed.ast, names)
  } catch (fault) {
    if (isFault(fault)) return fault
    throw fault
  }
  return {
    holds: (args, { server, tool }) => {
      try {
        const value = run({ args, server, tool, slots: [], left: STEPS })
        return typeof value === 'boolean' ? value : NOT_BOOLEAN
      } catch (fault) {
        if (isFault(fault)) return fault
        throw fault
      }
    },
  }
}
const NOT_BOOLEAN: Fault = { problem: 'the result is not a truth value' }

function parse(source: string): { ast: ASTNode } | { problem: string } {
  let parsed: ReturnType<typeof environment.parse>
  try {
    parsed = environment.parse(source)
  } catch (error) {
    return { problem: summary(error) }
  }
  const { valid, type, error } = parsed.check()
  if (!valid) return { problem: summary(error) }
  if (type !== 'bool' && type !== 'dyn') return { problem: `The result is of type ${type}, not bool` }
  return { ast: parsed.ast }
}

/** The first line of the library's message; the next ones draw the place. */
const summary = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]?.replace(/\.$/, '') as string

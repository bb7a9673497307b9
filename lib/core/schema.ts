import { type Schema, Validator } from '@cfworker/json-schema'
import type { ToolDefinition } from '../api/gen/types.ts'
import { shown } from './quote.ts'
import type { Json } from './strict.ts'

/** What is wrong with the arguments, as a phrase, or undefined. */
export type ValidateArguments = (args: Json) => string | undefined

/**
 * A validator for a pinned definition's inputSchema (JSON Schema 2020-12, the dialect MCP names). Interpreted: a schema
 * is a server's text, and code is never made of it. `pattern` and `format` are left out for the same reason: they run
 * on backtracking expressions that a server could choose to be slow. Without `patternProperties`, arguments that only
 * it allows are refused.
 */
export function compileSchema(definition: ToolDefinition): ValidateArguments {
  const schema = withoutExpressions(definition.inputSchema ?? {}) as Schema
  const validator = new Validator(schema, '2020-12', true)
  return (args) => {
    let result: ReturnType<Validator['validate']>
    try {
      result = validator.validate(args)
    } catch (error) {
      return `the schema cannot be used: ${(error as Error).message.slice(0, 80)}`
    }
    if (result.valid) return undefined
    const { instanceLocation = '#', keyword, error } = result.errors.at(-1) ?? {}
    const where = instanceLocation.replace(/^#\/?/, '').replaceAll('/', '.')
    if (keyword === 'false') return `${shown(where)} is not one of them`
    return `${where === '' ? '' : `${shown(where)}: `}${String(error).replace(/\.$/, '')}`
  }
}

/** Keywords are dropped only where a keyword can stand, so that a property called "pattern" stays. */
function withoutExpressions(schema: unknown, named = false): unknown {
  if (Array.isArray(schema)) return schema.map((each) => withoutExpressions(each))
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(
    ([key]) => named || !(key === 'pattern' || key === 'format' || key === 'patternProperties'),
  )
  const MAPS = new Set(['properties', '$defs', 'definitions', 'dependentSchemas'])
  const LITERAL = new Set(['enum', 'const', 'default', 'examples'])
  return Object.fromEntries(
    kept.map(([key, value]) => [
      key,
      !named && LITERAL.has(key) ? value : withoutExpressions(value, !named && MAPS.has(key)),
    ]),
  )
}

import { HEADER } from '../../api/mcp.ts'
import { isObject, type JsonObject } from '../json-rpc.ts'

/** An argument of a tool that is repeated in a header: where it stands, and the header's name in lower case. */
export interface Mirrored {
  path: string[]
  header: string
}

const ANNOTATION = 'x-mcp-header'
/** Of RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const TYPES: unknown[] = ['string', 'integer', 'boolean']
/** Keywords whose values are data: what looks like a schema in them is none. */
const DATA = ['default', 'const', 'enum', 'examples']
/** Keywords whose values are schemas by names that anybody may choose. */
const NAMED = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']
const MAX_DEPTH = 64

const schemasBelow = (schema: JsonObject): unknown[] =>
  Object.entries(schema).flatMap(([keyword, value]) =>
    DATA.includes(keyword) ? [] : NAMED.includes(keyword) && isObject(value) ? Object.values(value) : [value],
  )

/** Whether a header is asked for here or below, or too deep to know. */
const isAnnotated = (schema: unknown, depth: number): boolean => {
  if (depth > MAX_DEPTH) return true
  if (Array.isArray(schema)) return schema.some((part) => isAnnotated(part, depth + 1))
  if (!isObject(schema)) return false
  return ANNOTATION in schema || schemasBelow(schema).some((part) => isAnnotated(part, depth + 1))
}

/**
 * The arguments that a tool wants repeated in headers: those of its schema's properties, and of their properties, that
 * say so. Undefined when its definition asks for what may not be, which a client has to refuse whole.
 */
export const mirroredOf = (inputSchema: unknown): Mirrored[] | undefined => {
  const found: Mirrored[] = []
  const take = (schema: JsonObject, path: string[]): boolean => {
    const name = schema[ANNOTATION]
    if (name === undefined) return true
    if (path.length === 0 || typeof name !== 'string' || !TOKEN.test(name) || !TYPES.includes(schema.type)) return false
    const header = HEADER.param + name.toLowerCase()
    if (found.some((other) => other.header === header)) return false
    found.push({ path, header })
    return true
  }
  const walk = (schema: unknown, path: string[]): boolean => {
    if (!isObject(schema)) return true
    const { [ANNOTATION]: _name, properties, ...rest } = schema
    if (path.length > MAX_DEPTH || !take(schema, path)) return false
    if (schemasBelow(rest).some((part) => isAnnotated(part, path.length))) return false
    return Object.entries(isObject(properties) ? properties : {}).every(([name, below]) => walk(below, [...path, name]))
  }
  return walk(inputSchema, []) ? found : undefined
}

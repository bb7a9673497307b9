import type { ToolDefinition } from '../../api/gen/types.ts'
import type { ValueType } from '../constraint-types.ts'
import { isDecimalText } from '../decimal.ts'
import { isObject } from '../json-rpc.ts'
import type { Step } from '../path.ts'

/** Which types a place can have at most; undefined: any. Empty: nothing can stand there. */
type Types = ReadonlySet<ValueType> | undefined

const NOTHING: ReadonlySet<ValueType> = new Set<ValueType>()
const BY_NAME: Record<string, ValueType[]> = {
  string: ['text', 'decimal'],
  number: ['number'],
  integer: ['number'],
  boolean: ['boolean'],
  array: ['list'],
  object: ['object'],
  // No operator holds for null: it is an error.
  null: [],
}
// Schemas may refer to themselves, and branch as they do.
const MAX_DEPTH = 32

/** How many schemas may still be looked into, for a whole policy; what is beyond counts as allowing everything. */
export interface Budget {
  left: number
}
export const newBudget = (): Budget => ({ left: 200_000 })

interface Walk {
  /** Where references begin. */
  root: unknown
  budget: Budget
}

/**
 * What a path can lead to in arguments that a tool's inputSchema (JSON Schema 2020-12) lets pass: never less than that,
 * and everything where the schema is silent or says it in a way that is not read here.
 */
export const typesAt = (definition: ToolDefinition, steps: Step[], budget = newBudget()): Types =>
  at(definition.inputSchema, steps, { root: definition.inputSchema, budget }, MAX_DEPTH)

function at(schema: unknown, steps: Step[], walk: Walk, depth: number): Types {
  if (schema === false) return NOTHING
  if (!isObject(schema) || depth === 0 || walk.budget.left-- <= 0) return undefined
  const inside = (other: unknown): Types => at(other, steps, walk, depth - 1)
  const [step, ...rest] = steps
  const own = step === undefined ? scalars(schema) : member(schema, step, rest, walk, depth)
  const bounds = [own]
  if (typeof schema.$ref === 'string') bounds.push(inside(resolve(walk.root, schema.$ref)))
  if (Array.isArray(schema.allOf)) bounds.push(...schema.allOf.map(inside))
  for (const key of ['anyOf', 'oneOf']) {
    const branches = schema[key]
    if (Array.isArray(branches)) bounds.push(union(branches.map(inside)))
  }
  return bounds.reduce(common, undefined)
}

function scalars({ type, enum: values, const: value }: Record<string, unknown>): Types {
  const names = typeof type === 'string' ? [type] : Array.isArray(type) ? type : undefined
  const listed = Array.isArray(values) ? values : value === undefined ? undefined : [value]
  const byName = names === undefined ? undefined : new Set(names.flatMap((name) => BY_NAME[String(name)] ?? []))
  const byValue = listed === undefined ? undefined : new Set(listed.flatMap(typesOfValue))
  return common(byName, byValue)
}

function typesOfValue(value: unknown): ValueType[] {
  if (typeof value === 'string') return isDecimalText(value) ? ['text', 'decimal'] : ['text']
  return BY_NAME[value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value] ?? []
}

function member(schema: Record<string, unknown>, step: Step, rest: Step[], walk: Walk, depth: number): Types {
  const inside = (other: unknown): Types => at(other, rest, walk, depth - 1)
  if (scalars(schema)?.has('each' in step ? 'list' : 'object') === false) return NOTHING
  if ('each' in step) return schema.prefixItems === undefined ? inside(schema.items) : undefined
  const { properties, patternProperties, additionalProperties } = schema
  if (isObject(properties) && Object.hasOwn(properties, step.key)) return inside(properties[step.key])
  return patternProperties === undefined ? inside(additionalProperties) : undefined
}

/** "#/$defs/Customer" in `root`; undefined, which allows everything, for anything else. */
function resolve(root: unknown, ref: string): unknown {
  if (!ref.startsWith('#/')) return ref === '#' ? root : undefined
  let value = root
  for (const part of ref.slice(2).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}

const common = (a: Types, b: Types): Types =>
  a === undefined ? b : b === undefined ? a : new Set([...a].filter((type) => b.has(type)))

const union = (all: Types[]): Types =>
  all.includes(undefined) ? undefined : new Set(all.flatMap((types) => [...(types ?? [])]))

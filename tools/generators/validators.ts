import { Ajv } from 'ajv'
import standalone from 'ajv/dist/standalone/index.js'
import { isOpen, isScalar, type Kind, type Schema, walk } from './schema.ts'

type JsonSchema = Record<string, unknown>

const HEAD = `// Generated from crds/ by \`npm run gen\`; change those instead.
// @ts-nocheck: plain code, written by a compiler of JSON Schema.
`

/** RFC 3339, section 5.6; only its form. */
const DATE_TIME =
  '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])[Tt]([01]\\d|2[0-3]):[0-5]\\d:([0-5]\\d|60)(\\.\\d+)?([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)$'

/**
 * The code of `lib/api/gen/validators.ts`: one function a kind with ajv's interface, and what validate.ts needs to speak
 * of its findings, by kind and path in an object ("spec.tools[].name"): `messages` (what a person reads when a pattern
 * does not match), `fields` (the names an object may have), `keyed` (the field that tells a list's elements apart) and
 * `defaults`.
 *
 * Fields the schema does not name are refused, as `kubectl apply` refuses them. Of the CEL rules, those of the form
 * `self.matches('...')` are kept; the others need the API server. `status` is not looked at: nobody writes it by hand.
 */
export function emitValidators(kinds: Kind[]): string {
  const roots = kinds.map((kind) => ({ kind, root: written(kind) }))
  const defs: Record<string, JsonSchema> = {}
  for (const { kind, root } of roots) define(kind.name, root, defs)
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    unicode: false,
    inlineRefs: false,
    messages: false,
    logger: false,
    code: { source: true, esm: true, lines: true },
  })
  ajv.addSchema({ $id: 'remit', $defs: defs })
  const names = kinds.map(({ name }) => [`validate${name}`, `remit#/$defs/${name}`])
  const code = standalone.default(ajv, Object.fromEntries(names))
  if (code.includes('require(')) throw new Error('the validators would need a library at run time')
  const table = (name: string, type: string, find: (schema: Schema) => unknown) => {
    const all = Object.fromEntries(roots.map(({ kind, root }) => [kind.name, byPath(root, find)]))
    return `export const ${name}: Record<string, Record<string, ${type}>> = ${JSON.stringify(all, null, 1)}`
  }
  return [
    HEAD,
    code.replace(/^"use strict";\n?/, '').replaceAll(/\n{2,}/g, '\n'),
    table('messages', 'Record<string, string>', messagesOf),
    table('fields', 'string[]', (schema) => (closed(schema) ? Object.keys(schema.properties ?? {}) : undefined)),
    table('keyed', 'string', keyOf),
    table('defaults', 'unknown', (schema) => schema.default),
    '',
  ].join('\n')
}

/** What a person writes of a kind. */
function written({ name, schema }: Kind): Schema {
  const { status: _, ...properties } = schema.properties ?? {}
  return {
    ...schema,
    required: ['apiVersion', 'kind', 'metadata', ...(schema.required ?? [])],
    properties: {
      ...properties,
      apiVersion: { type: 'string', enum: ['remit.dev/v1alpha1'] },
      kind: { type: 'string', enum: [name] },
      metadata: { type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 1 } }, ...OPEN },
      status: { type: 'object', ...OPEN },
    },
  }
}
const OPEN = { 'x-kubernetes-preserve-unknown-fields': true }

const closed = (schema: Schema): boolean => schema.properties !== undefined && !isOpen(schema)

function byPath(root: Schema, find: (schema: Schema) => unknown): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  walk(root, (schema, path) => {
    const value = find(schema)
    if (value !== undefined) found[path] = value
  })
  return found
}

/** Puts a schema, as JSON Schema, under a name; every object with a title below it gets a name of its own. */
function define(name: string, schema: Schema, defs: Record<string, JsonSchema>): void {
  if (defs[name] !== undefined) return
  defs[name] = {}
  defs[name] = convert(schema, defs)
}

function convert(schema: Schema, defs: Record<string, JsonSchema>): JsonSchema {
  const child = (below: Schema): JsonSchema => {
    if (below.title === undefined || below.type !== 'object') return convert(below, defs)
    define(below.title, below, defs)
    return { $ref: `#/$defs/${below.title}` }
  }
  if (isScalar(schema)) return { type: ['string', 'number', 'boolean'] }
  const result: JsonSchema = { type: schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : schema.type }
  for (const key of ['enum', 'required', 'pattern', ...LIMITS] as const) {
    if (schema[key] !== undefined) result[key] = schema[key]
  }
  if (schema['x-kubernetes-list-type'] === 'set') result.uniqueItems = true
  if (schema.properties !== undefined) {
    const below = Object.entries(schema.properties).map(([name, property]) => [name, child(property)])
    result.properties = Object.fromEntries(below)
    if (closed(schema)) result.additionalProperties = false
  }
  if (schema.additionalProperties !== undefined) result.additionalProperties = child(schema.additionalProperties)
  if (schema.items !== undefined) result.items = child(schema.items)
  const patterns = Object.keys(messagesOf(schema) ?? {})
  if (patterns.length > 0) result.allOf = patterns.map((pattern) => ({ pattern }))
  return result
}

const LIMITS = [
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'maxProperties',
] as const satisfies (keyof Schema)[]

/** Patterns a text must match, each with what a person reads when it does not. */
function messagesOf(schema: Schema): Record<string, string> | undefined {
  const found: Record<string, string> = {}
  for (const { rule, message } of schema['x-kubernetes-validations'] ?? []) {
    const pattern = patternOf(rule)
    if (pattern !== undefined) found[pattern] = message
  }
  if (schema.format === 'date-time') found[DATE_TIME] = 'write date, time and offset, such as "2027-01-31T09:00:00Z"'
  return Object.keys(found).length === 0 ? undefined : found
}

/** The regular expression of a CEL rule that is only that, CEL's escapes undone. */
function patternOf(rule: string): string | undefined {
  const quoted = /^self\.matches\('((?:[^'\\]|\\.)*)'\)$/.exec(rule)?.[1]
  return quoted?.replaceAll(/\\(.)/g, (_, char: string) => ({ t: '\t', r: '\r', n: '\n' })[char] ?? char)
}

function keyOf(schema: Schema): string | undefined {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (keys.length > 1) throw new Error(`a list has the keys ${keys.join(', ')}; validate.ts knows lists with one`)
  return keys[0]
}

import { isOpen, isScalar, type Kind, named, type Schema } from './schema.ts'

const HEAD = `// Generated from crds/ by \`npm run gen\`; change those instead.

/** Object metadata, as far as Remit reads it. */
export interface ObjectMeta {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean; blockOwnerDeletion?: boolean }[]
  managedFields?: object[]
}
interface KubeObject<K extends string> {
  apiVersion: 'remit.dev/v1alpha1'
  kind: K
  metadata: ObjectMeta
}
export type Scalar = string | number | boolean
`

/** TypeScript types of all kinds, each named schema an exported type with its description. */
export function emitTypes(kinds: Kind[]): string {
  const parts = [HEAD]
  for (const [name, schema] of named(kinds)) {
    parts.push(`${doc(schema.description, '')}export ${declaration(name, schema)}\n`)
  }
  for (const { name, schema } of kinds) {
    const { spec, status } = schema.properties ?? {}
    if (spec === undefined) throw new Error(`${name} has no spec`)
    const fields = [`  spec: ${typeOf(spec, '  ')}`]
    if (status !== undefined) fields.push(`  status?: ${typeOf(status, '  ')}`)
    parts.push(
      `${doc(schema.description, '')}export interface ${name} extends KubeObject<'${name}'> {\n${fields.join('\n')}\n}\n`,
    )
  }
  return parts.join('\n')
}

const declaration = (name: string, schema: Schema): string =>
  schema.type === 'object' && !isOpen(schema)
    ? `interface ${name} ${fieldsOf(schema, '')}`
    : `type ${name} = ${inline(schema, '')}`

const typeOf = (schema: Schema, indent: string): string => schema.title ?? inline(schema, indent)

function inline(schema: Schema, indent: string): string {
  if (isScalar(schema)) return 'Scalar'
  if (schema['x-kubernetes-int-or-string']) return 'string | number'
  if (schema.enum !== undefined) return schema.enum.map((value) => literal(value)).join(' | ')
  switch (schema.type) {
    case 'array': {
      const item = typeOf(schema.items ?? {}, indent)
      return /[|{]/.test(item) && !item.startsWith('{') ? `(${item})[]` : `${item}[]`
    }
    case 'object':
      if (schema.additionalProperties) return `Record<string, ${typeOf(schema.additionalProperties, indent)}>`
      return isOpen(schema) || schema.properties === undefined ? 'Record<string, unknown>' : fieldsOf(schema, indent)
    case 'integer':
    case 'number':
      return 'number'
    case 'string':
    case 'boolean':
      return schema.type
    default:
      throw new Error(`no TypeScript type for ${JSON.stringify(schema)}`)
  }
}

const literal = (value: string | number | boolean): string => (typeof value === 'string' ? `'${value}'` : String(value))

function fieldsOf(schema: Schema, indent: string): string {
  const inner = `${indent}  `
  const lines = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const mark = schema.required?.includes(name) ? '' : '?'
    return `${doc(describe(property), inner)}${inner}${name}${mark}: ${typeOf(property, inner)}`
  })
  return `{\n${lines.join('\n')}\n${indent}}`
}

const describe = (schema: Schema): string | undefined =>
  schema.default === undefined ? schema.description : `${schema.description ?? ''} Default: ${schema.default}.`

/** A docstring, its lines at most 120 wide. */
function doc(text: string | undefined, indent: string): string {
  if (text === undefined) return ''
  const safe = text.replaceAll('*/', '*\\/')
  if (safe.length + indent.length + 8 <= 120) return `${indent}/** ${safe} */\n`
  const lines: string[] = []
  for (const word of safe.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || `${indent} * ${last} ${word}`.length > 120) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`
}

/** A node of a structural schema, as far as our CRDs use one. Source: Kubernetes, apiextensions.k8s.io/v1 JSONSchemaProps. */
export interface Schema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  title?: string
  description?: string
  format?: string
  enum?: (string | number | boolean)[]
  default?: unknown
  required?: string[]
  properties?: Record<string, Schema>
  additionalProperties?: Schema
  items?: Schema
  minItems?: number
  maxItems?: number
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  maxProperties?: number
  pattern?: string
  anyOf?: Schema[]
  'x-kubernetes-validations'?: Rule[]
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-preserve-unknown-fields'?: boolean
}

/** A CEL rule and what a person reads when it does not hold. */
export interface Rule {
  rule: string
  message: string
  messageExpression?: string
  fieldPath?: string
}

export interface Crd {
  metadata: { name: string; annotations?: Record<string, string> }
  spec: {
    scope: 'Namespaced' | 'Cluster'
    names: { kind: string; plural: string; shortNames: string[] }
    versions: {
      name: string
      additionalPrinterColumns: { name: string; description?: string; priority?: number }[]
      schema: { openAPIV3Schema: Schema }
    }[]
  }
}

/** One kind: its definition, the file it came from, and the schema of its only version. */
export interface Kind {
  file: string
  crd: Crd
  name: string
  schema: Schema
}

/** A text, number or truth value; a structural schema can only say "anything" about it, so the title says it. */
export const isScalar = (schema: Schema): boolean => schema.title === 'Scalar'

/** Whether any fields are allowed below. */
export const isOpen = (schema: Schema): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true

/** Calls `visit` for a schema and everything below it, with its path in an object ("spec.tools[].name"). */
export function walk(schema: Schema, visit: (schema: Schema, path: string) => void, path = ''): void {
  visit(schema, path)
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    walk(property, visit, path === '' ? name : `${path}.${name}`)
  }
  if (schema.items !== undefined) walk(schema.items, visit, `${path}[]`)
  if (schema.additionalProperties !== undefined) walk(schema.additionalProperties, visit, `${path}.*`)
}

/**
 * Every schema that has a name, by name, in the order of the files. A name given to two different schemas is an error:
 * it would be one TypeScript type. Descriptions may differ, for the same type can have another role.
 */
export function named(kinds: Kind[]): Map<string, Schema> {
  const found = new Map<string, Schema>()
  for (const kind of kinds) {
    walk(kind.schema, (schema, path) => {
      if (schema.title === undefined || isScalar(schema)) return
      const known = found.get(schema.title)
      if (known === undefined) found.set(schema.title, schema)
      else if (shape(known) !== shape(schema)) {
        throw new Error(`${kind.file}: ${path} is called ${schema.title} like another schema but is not the same`)
      }
    })
  }
  return found
}

const shape = (schema: Schema): string =>
  JSON.stringify(schema, (key, value) => (key === 'description' && typeof value === 'string' ? undefined : value))

import * as generated from './gen/validators.ts'

/** What is wrong at one place of an object. */
export interface Finding {
  /** Such as spec.tools[0].where[1].max; empty for the object itself. */
  field: string
  /** The value there as JSON, at most 80 characters; absent when there is none. */
  value?: string
  /** What is wrong with it, and what to write instead. */
  detail: string
}
export type RemitKind = 'AgentIdentity' | 'AgentPolicy' | 'ClusterAgentPolicy' | 'OwnerGroup' | 'AgentRemit'

/** As ajv reports it. */
interface AjvError {
  instancePath: string
  keyword: string
  params: Record<string, unknown>
}
interface Validator {
  (object: unknown): boolean
  errors?: AjvError[] | null
}
const validators: Record<RemitKind, Validator> = {
  AgentIdentity: generated.validateAgentIdentity,
  AgentPolicy: generated.validateAgentPolicy,
  ClusterAgentPolicy: generated.validateClusterAgentPolicy,
  OwnerGroup: generated.validateOwnerGroup,
  AgentRemit: generated.validateAgentRemit,
}

/**
 * Where an object departs from its kind's schema, as far as that can be said without an API server: unknown fields,
 * types, required fields, sets of values, lengths, names used twice in a list, forms of texts. The remaining rules of
 * crds/ (CEL over several fields) are the API server's; checkPolicy and checkOwnerGroup cover what is enforced of them.
 */
export function validate(kind: RemitKind, object: unknown): Finding[] {
  const validator = validators[kind]
  const errors = validator(object) ? [] : (validator.errors ?? [])
  return [...errors.map((error) => explain(kind, object, error)), ...duplicates(kind, object)]
}

/** A copy with the defaults of the schema filled in, as the API server stores it. */
export function applyDefaults<T>(kind: RemitKind, object: T): T {
  const copy = structuredClone(object)
  for (const [path, value] of Object.entries(generated.defaults[kind] ?? {})) {
    const steps = path.split('.')
    const last = steps.pop() as string
    visit(copy, steps.join('.'), (parent) => {
      if (isObject(parent) && parent[last] === undefined) parent[last] = value
    })
  }
  return copy
}

function explain(kind: RemitKind, object: unknown, { instancePath, keyword, params }: AjvError): Finding {
  const place = locate(object, instancePath)
  const fields = generated.fields[kind]?.[place.path] ?? []
  const below = (name: unknown) => (place.field === '' ? String(name) : `${place.field}.${name}`)
  const at = (detail: string): Finding => ({ field: place.field, value: show(place.value), detail })
  switch (keyword) {
    case 'required':
      return { field: below(params.missingProperty), detail: 'is missing' }
    case 'additionalProperties': {
      const name = String(params.additionalProperty)
      const value = isObject(place.value) ? show(place.value[name]) : undefined
      return { field: below(name), value, detail: `is not a field here; there are ${fields.join(', ')}` }
    }
    case 'type':
      return at(typeDetail(place.value, [params.type].flat() as string[]))
    case 'enum':
      return at(`is not one of ${(params.allowedValues as unknown[]).join(', ')}`)
    case 'pattern':
      return at(generated.messages[kind]?.[place.path]?.[String(params.pattern)] ?? `must match ${params.pattern}`)
    case 'uniqueItems':
      return at(`lists the same twice, at ${params.i} and ${params.j}`)
    default:
      return at(LIMITS[keyword]?.(params.limit) ?? `does not satisfy ${keyword}`)
  }
}

const LIMITS: Record<string, (limit: unknown) => string> = {
  minItems: (limit) => `needs at least ${limit} of them`,
  maxItems: (limit) => `may have at most ${limit} of them`,
  maxProperties: (limit) => `may have at most ${limit} of them`,
  minLength: (limit) => (limit === 1 ? 'is empty' : `needs at least ${limit} characters`),
  maxLength: (limit) => `may have at most ${limit} characters`,
  minimum: (limit) => `must be at least ${limit}`,
  maximum: (limit) => `must be at most ${limit}`,
}

const TYPES: Record<string, string> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

function typeDetail(value: unknown, types: string[]): string {
  const quotes = types.includes('string') && (typeof value === 'number' || typeof value === 'boolean')
  return `must be ${types.map((type) => TYPES[type] ?? type).join(' or ')}${quotes ? '; put it in quotes' : ''}`
}

function duplicates(kind: RemitKind, object: unknown): Finding[] {
  const found: Finding[] = []
  for (const [path, key] of Object.entries(generated.keyed[kind] ?? {})) {
    visit(object, path, (list, field) => {
      if (!Array.isArray(list)) return
      const seen = new Set<unknown>()
      for (const [index, element] of list.entries()) {
        const name = isObject(element) ? element[key] : undefined
        if (name === undefined) continue
        if (seen.has(name)) {
          found.push({ field: `${field}[${index}].${key}`, value: show(name), detail: 'is used twice in this list' })
        }
        seen.add(name)
      }
    })
  }
  return found
}

/** Calls `call` for every place that a path of the schema ("spec.servers[].service") leads to. */
function visit(root: unknown, path: string, call: (value: unknown, field: string) => void): void {
  const steps = path.split('.').flatMap((step) => (step.endsWith('[]') ? [step.slice(0, -2), '[]'] : [step]))
  const go = (value: unknown, depth: number, field: string): void => {
    const step = steps[depth]
    if (step === undefined) call(value, field)
    else if (step === '[]') {
      if (!Array.isArray(value)) return
      for (const [index, element] of value.entries()) go(element, depth + 1, `${field}[${index}]`)
    } else if (isObject(value)) go(value[step], depth + 1, field === '' ? step : `${field}.${step}`)
  }
  go(root, 0, '')
}

/** A JSON pointer as people write it (`field`), as the schema's tables have it (`path`), and what is there. */
function locate(root: unknown, pointer: string): { field: string; path: string; value: unknown } {
  let value = root
  let field = ''
  let path = ''
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(value)) {
      field += `[${key}]`
      path += '[]'
      value = value[Number(key)]
    } else {
      field += field === '' ? key : `.${key}`
      path += path === '' ? key : `.${key}`
      value = isObject(value) ? value[key] : undefined
    }
  }
  return { field, path, value }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function show(value: unknown): string | undefined {
  const text = JSON.stringify(value)
  return text !== undefined && text.length > 80 ? `${text.slice(0, 77)}...` : text
}

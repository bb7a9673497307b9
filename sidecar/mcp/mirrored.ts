import type { IncomingHttpHeaders } from 'node:http'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { Asked } from './ports.ts'

/** Which field of `params` the header `Mcp-Name` repeats. */
const NAMED: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}
const PARAM = 'mcp-param-'
const BEGIN = '=?base64?'
const END = '?='
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** What a header holds as it is: visible ASCII, and spaces and tabs inside. */
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/
const INTEGER_LIKE = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/

/** An argument of a tool that is repeated in a header: where it stands, and the header's name in lower case. */
export interface Mirrored {
  path: string[]
  header: string
}

/** A value as a header holds it. */
export const encodeValue = (value: string): string =>
  PLAIN.test(value) && !(value.startsWith(BEGIN) && value.endsWith(END))
    ? value
    : `${BEGIN}${Buffer.from(value, 'utf8').toString('base64')}${END}`

/** The value a header holds; undefined when the header is not one that may be. */
export const decodeValue = (header: string): string | undefined => {
  if (!PLAIN.test(header)) return undefined
  if (!header.startsWith(BEGIN) || !header.endsWith(END) || header.length < BEGIN.length + END.length) return header
  const given = header.slice(BEGIN.length, -END.length)
  const bytes = Buffer.from(given, 'base64')
  if (bytes.toString('base64') !== given) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const MAX_DEPTH = 64
/** Whether a header is asked for somewhere below, or too deep to know. */
const isAnnotated = (schema: unknown, depth = 0): boolean => {
  if (depth > MAX_DEPTH) return true
  if (Array.isArray(schema)) return schema.some((part) => isAnnotated(part, depth + 1))
  return (
    isObject(schema) && ('x-mcp-header' in schema || Object.values(schema).some((part) => isAnnotated(part, depth + 1)))
  )
}

/** The arguments a tool wants repeated in headers; undefined when its definition asks for what may not be. */
export const mirroredOf = (inputSchema: unknown): Mirrored[] | undefined => {
  const found: Mirrored[] = []
  const walk = (schema: unknown, path: string[]): boolean => {
    if (!isObject(schema)) return true
    const { 'x-mcp-header': header, properties, ...rest } = schema
    if (header !== undefined) {
      if (path.length === 0 || typeof header !== 'string' || !TOKEN.test(header)) return false
      if (!['string', 'integer', 'boolean'].includes(String(schema.type))) return false
      const name = PARAM + header.toLowerCase()
      if (found.some((other) => other.header === name)) return false
      found.push({ path, header: name })
    }
    // Values that only look like a schema are no annotation.
    const { default: _default, const: _const, enum: _enum, examples: _examples, ...keywords } = rest
    if (path.length > MAX_DEPTH || Object.values(keywords).some((part) => isAnnotated(part))) return false
    if (!isObject(properties)) return true
    return Object.entries(properties).every(([name, below]) => walk(below, [...path, name]))
  }
  return walk(inputSchema, []) ? found : undefined
}

const valueAt = (root: unknown, path: string[]): unknown =>
  path.reduce<unknown>((at, name) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined), root)

const textOf = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'number' && Number.isFinite(value) && (Number.isSafeInteger(value) || value % 1 !== 0)
    ? String(value)
    : undefined
}

const nameOf = ({ method, params }: Asked): string | undefined => {
  const field = Object.hasOwn(NAMED, method) ? NAMED[method] : undefined
  const value = field === undefined ? undefined : params[field]
  return typeof value === 'string' ? value : undefined
}

/** The headers that repeat a request's body. */
export const mirror = (request: Asked, mirrored: Mirrored[] = []): Record<string, string> => {
  const headers: Record<string, string> = { 'mcp-method': request.method }
  const name = nameOf(request)
  if (name !== undefined) headers['mcp-name'] = encodeValue(name)
  for (const { path, header } of mirrored) {
    const text = textOf(valueAt(request.params.arguments, path))
    if (text !== undefined) headers[header] = encodeValue(text)
  }
  return headers
}

const sameValue = (header: string, value: unknown): boolean => {
  const given = decodeValue(header)
  if (given === undefined) return false
  if (typeof value === 'number') return INTEGER_LIKE.test(given) && Number(given) === value
  return given === textOf(value)
}

/** What of the headers is not what the body says, as a phrase. */
export const mirrorProblem = (
  headers: IncomingHttpHeaders,
  request: Asked,
  mirrored: Mirrored[] = [],
): string | undefined => {
  const one = (name: string) => {
    const value = headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }
  const method = one('mcp-method')
  if (method === undefined) return 'the header Mcp-Method is missing'
  if (method !== request.method) return 'the header Mcp-Method is not the method of the body'
  const name = nameOf(request)
  const given = one('mcp-name')
  if (name !== undefined && given === undefined) return 'the header Mcp-Name is missing'
  if (given !== undefined && (name === undefined ? decodeValue(given) === undefined : decodeValue(given) !== name))
    return 'the header Mcp-Name is not the name in the body'
  for (const { path, header } of mirrored) {
    const value = valueAt(request.params.arguments as JsonObject | undefined, path)
    const mirroredValue = one(header)
    const expected = textOf(value)
    if (expected === undefined && mirroredValue === undefined) continue
    if (expected === undefined || mirroredValue === undefined || !sameValue(mirroredValue, value))
      return `the header ${header} is not the argument ${path.join('.').slice(0, 100)} of the body`
  }
  return undefined
}

import { HEADER } from '../../api/mcp.ts'
import { isObject, type JsonObject } from '../json-rpc.ts'
import type { Mirrored } from './annotated.ts'
import { decodeValue, encodeValue } from './value.ts'

/** A request of 2026-07-28, as far as headers repeat it. */
interface Request {
  method: string
  params: JsonObject
}

/** Headers by their names in lower case, each with all of its values, as Node's `headersDistinct` has them. */
export type Headers = Readonly<Record<string, readonly string[] | undefined>>

/** Which field of `params` the header `Mcp-Name` repeats; of tasks by the rule of their extension. */
const NAMED: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}
const WHOLE = /^(0|-?[1-9]\d*)\.0+$/

const nameOf = ({ method, params }: Request): string | undefined => {
  const field = Object.hasOwn(NAMED, method) ? NAMED[method] : undefined
  const value = field === undefined ? undefined : params[field]
  return typeof value === 'string' ? value : undefined
}

const textOf = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  // What a double cannot count exactly two readers could take for two numbers.
  return typeof value === 'number' && Number.isFinite(value) && (Number.isSafeInteger(value) || value % 1 !== 0)
    ? String(value)
    : undefined
}

const argumentOf = ({ params }: Request, path: string[]): unknown =>
  path.reduce<unknown>((at, name) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined), params.arguments)

/** The headers that repeat a request's body, but for the one of its version. */
export const mirror = (request: Request, mirrored: Mirrored[] = []): Record<string, string> => {
  const headers: Record<string, string> = { [HEADER.method]: request.method }
  const name = nameOf(request)
  if (name !== undefined) headers[HEADER.name] = encodeValue(name)
  for (const { path, header } of mirrored) {
    const text = textOf(argumentOf(request, path))
    if (text !== undefined) headers[header] = encodeValue(text)
  }
  return headers
}

const titled = (header: string): string => header.replace(/(?<![^-])[a-z]/g, (first) => first.toUpperCase())

/** The one value of a header, or in a phrase why there is none. */
const only = (headers: Headers, header: string): { value: string } | { problem: string } => {
  const [value, ...more] = headers[header] ?? []
  if (value === undefined) return { problem: `the header ${titled(header)} is missing` }
  // Whoever reads the first of them reads another request than whoever reads the last.
  return more.length === 0 ? { value } : { problem: `the header ${titled(header)} is there more than once` }
}

const decoded = (headers: Headers, header: string): { value: string } | { problem: string } => {
  const given = only(headers, header)
  if ('problem' in given) return given
  const value = decodeValue(given.value)
  return value === undefined
    ? { problem: `the header ${titled(header)} has characters or an encoding that may not be` }
    : { value }
}

const argumentProblem = (headers: Headers, request: Request, { path, header }: Mirrored): string | undefined => {
  const value = argumentOf(request, path)
  const text = textOf(value)
  if (text === undefined && headers[header] === undefined) return undefined
  const given = decoded(headers, header)
  if ('problem' in given) return given.problem
  // A number may be written as 42.0 too.
  const written = typeof value === 'number' ? given.value.replace(WHOLE, '$1') : given.value
  return written === text
    ? undefined
    : `the header ${titled(header)} is not the argument ${path.join('.').slice(0, 100)} of the body`
}

/** What of a request's headers is not what its body says, as a phrase, but for the version. */
export const mirrorProblem = (headers: Headers, request: Request, mirrored: Mirrored[] = []): string | undefined => {
  const method = only(headers, HEADER.method)
  if ('problem' in method) return method.problem
  if (method.value !== request.method) return 'the header Mcp-Method is not the method of the body'
  const name = nameOf(request)
  if (name !== undefined || headers[HEADER.name] !== undefined) {
    const given = decoded(headers, HEADER.name)
    if ('problem' in given) return given.problem
    if (name !== undefined && given.value !== name) return 'the header Mcp-Name is not the name in the body'
  }
  for (const each of mirrored) {
    const problem = argumentProblem(headers, request, each)
    if (problem !== undefined) return problem
  }
  return undefined
}

import type { JsonObject } from '../../lib/core/json-rpc.ts'

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
/** What a header may be made of: visible ASCII, spaces and tabs. */
const PLAIN = /^[\t\x20-\x7e]*$/
const NAMED: Record<string, 'name' | 'uri'> = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri' }

/** A header's value, out of its Base64 form when it has that; undefined when it is neither. */
export const decodeHeader = (value: string): string | undefined => {
  if (!PLAIN.test(value)) return undefined
  const encoded = /^=\?base64\?(.*)\?=$/.exec(value)?.[1]
  if (encoded === undefined) return value
  if (!BASE64.test(encoded)) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  const text = bytes.toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined
}

/** Why the headers of a request of 2026-07-28 are refused with -32020: one is missing or says other than the body. */
export const headerProblem = (
  headers: Record<string, string | string[] | undefined>,
  message: { method: string; params: JsonObject; version: string },
): string | undefined => {
  const one = (name: string): string | undefined => {
    const value = headers[name]
    return Array.isArray(value) ? value.join(', ') : value?.trim()
  }
  const version = one('mcp-protocol-version')
  if (version === undefined) return 'the MCP-Protocol-Version header is missing'
  if (version !== message.version) return 'the MCP-Protocol-Version header is not the version that the body names'
  const method = one('mcp-method')
  if (method === undefined) return 'the Mcp-Method header is missing'
  if (method !== message.method) return 'the Mcp-Method header is not the method that the body names'
  const field = Object.hasOwn(NAMED, message.method) ? NAMED[message.method]! : undefined
  const wanted = field && message.params[field]
  if (typeof wanted !== 'string') return undefined
  const name = one('mcp-name')
  if (name === undefined) return 'the Mcp-Name header is missing'
  const decoded = decodeHeader(name)
  if (decoded === undefined) return 'the Mcp-Name header has characters or an encoding that are not allowed'
  return decoded === wanted ? undefined : `the Mcp-Name header is not params.${field} of the body`
}

/** A schema of a server may be as deep as it likes. */
const MAX_DEPTH = 32

interface Declared {
  path: string[]
  header: string
}

/** The parameters that a tool's schema wants mirrored in `Mcp-Param-` headers. */
export const mirroredOf = (schema: unknown, path: string[] = []): Declared[] => {
  const properties = (schema as { properties?: unknown } | null)?.properties
  if (typeof properties !== 'object' || properties === null || path.length > MAX_DEPTH) return []
  return Object.entries(properties).flatMap(([key, value]) => {
    const header = (value as Record<string, unknown> | null)?.['x-mcp-header']
    const here = [...path, key]
    return [...(typeof header === 'string' ? [{ path: here, header }] : []), ...mirroredOf(value, here)]
  })
}

const at = (value: unknown, path: string[]): unknown =>
  path.reduce<unknown>(
    (node, key) =>
      typeof node === 'object' && node !== null && Object.hasOwn(node, key)
        ? (node as Record<string, unknown>)[key]
        : undefined,
    value,
  )

/** Why the `Mcp-Param-` headers of a call are refused with -32020. */
export const paramProblem = (
  headers: Record<string, string | string[] | undefined>,
  declared: Declared[],
  args: unknown,
): string | undefined => {
  for (const { path, header } of declared) {
    const value = at(args, path)
    if (typeof value !== 'string' && typeof value !== 'boolean' && typeof value !== 'number') continue
    const given = headers[`mcp-param-${header.toLowerCase()}`]
    const name = `Mcp-Param-${header}`
    if (typeof given !== 'string') return `the ${name} header is missing`
    const decoded = decodeHeader(given.trim())
    if (decoded === undefined) return `the ${name} header has characters or an encoding that are not allowed`
    const same =
      typeof value === 'number'
        ? /^-?\d+(\.\d+)?$/.test(decoded) && Number(decoded) === value
        : decoded === String(value)
    if (!same) return `the ${name} header is not ${path.join('.')} of the arguments`
  }
  return undefined
}

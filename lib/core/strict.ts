import { isUtf8 } from 'node:buffer'
import { exactNumber } from './number.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export interface StrictLimits {
  /** Bytes of UTF-8; 4 MiB unless given. */
  maxBytes?: number
  /** Objects and lists inside one another; 64 unless given. */
  maxDepth?: number
  /** Values, counting every object, list and scalar; 100,000 unless given. */
  maxNodes?: number
}
export type StrictResult =
  | { ok: true; value: Json }
  | { ok: false; code: 'MalformedRequest' | 'RequestTooLarge'; detail: string }

const MAX_BYTES = 4 * 1024 * 1024
const MAX_DEPTH = 64
const MAX_NODES = 100_000

interface Refusal {
  code: 'MalformedRequest' | 'RequestTooLarge'
  detail: string
}
const malformed = (detail: string): Refusal => ({ code: 'MalformedRequest', detail })
const tooLarge = (detail: string): Refusal => ({ code: 'RequestTooLarge', detail })

const ESCAPES: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/**
 * Parses one JSON text (RFC 8259) so that every reader of its re-serialized form sees what policy saw: refuses
 * duplicate keys (after unescaping), the key `__proto__`, numbers a double cannot hold exactly, lone surrogates,
 * invalid UTF-8, a byte order mark and trailing data. It does not recurse, so depth cannot exhaust the stack.
 *
 * On refusal `detail` completes the catalog's sentence for `code` and quotes nothing of the input but a position.
 */
export function parseStrict(input: Uint8Array | string, limits: StrictLimits = {}): StrictResult {
  const maxBytes = limits.maxBytes ?? MAX_BYTES
  const bytes = typeof input === 'string' ? Buffer.byteLength(input) : input.byteLength
  if (bytes > maxBytes) return { ok: false, ...tooLarge(`${maxBytes} bytes`) }
  if (typeof input === 'string') {
    if (LONE_SURROGATE.test(input)) return { ok: false, ...malformed('a lone surrogate') }
  } else if (!isUtf8(input)) return { ok: false, ...malformed('invalid UTF-8') }
  const text = typeof input === 'string' ? input : Buffer.from(input.buffer, input.byteOffset, bytes).toString('utf8')
  if (text.charCodeAt(0) === 0xfeff) return { ok: false, ...malformed('a byte order mark') }
  try {
    return { ok: true, value: parseText(text, limits.maxDepth ?? MAX_DEPTH, limits.maxNodes ?? MAX_NODES) }
  } catch (refusal) {
    if (refusal instanceof Error) throw refusal
    return { ok: false, ...(refusal as Refusal) }
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** The parser proper: a loop over one explicit stack. Throws a Refusal (never an Error). */
function parseText(text: string, maxDepth: number, maxNodes: number): Json {
  let at = 0
  let nodes = 0
  const stack: (Json[] | Record<string, Json>)[] = []
  const keys: string[] = []

  const unexpected = (): Refusal =>
    malformed(at >= text.length ? 'JSON that ends too early' : `JSON with an unexpected character at ${at}`)

  const skipSpace = (): number => {
    let code = text.charCodeAt(at)
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++at)
    return code
  }

  const string = (): string => {
    const start = ++at
    for (;;) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) return text.slice(start, at++)
      if (code === BACKSLASH) return escapedString(start)
      if (!(code >= 0x20)) throw unexpected()
      at++
    }
  }

  const escapedString = (start: number): string => {
    let value = ''
    let from = start
    for (;;) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) {
        value += text.slice(from, at++)
        if (LONE_SURROGATE.test(value)) throw malformed('a lone surrogate')
        return value
      }
      if (!(code >= 0x20)) throw unexpected()
      if (code !== BACKSLASH) {
        at++
        continue
      }
      value += text.slice(from, at++)
      const letter = text[at] ?? ''
      if (letter === 'u') {
        const digits = text.slice(at + 1, at + 5)
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw unexpected()
        value += String.fromCharCode(Number.parseInt(digits, 16))
        at += 5
      } else {
        const plain = ESCAPES[letter]
        if (plain === undefined) throw unexpected()
        value += plain
        at++
      }
      from = at
    }
  }

  const key = (): string => {
    if (skipSpace() !== QUOTE) throw unexpected()
    const name = string()
    if (name === '__proto__') throw malformed('the key __proto__')
    if (skipSpace() !== COLON) throw unexpected()
    at++
    return name
  }

  const word = (literal: string, value: Json): Json => {
    if (!text.startsWith(literal, at)) throw unexpected()
    at += literal.length
    return value
  }

  const number = (): number => {
    const start = at
    NUMBER.lastIndex = at
    if (!NUMBER.test(text)) throw unexpected()
    at = NUMBER.lastIndex
    const value = exactNumber(text.slice(start, at))
    if (value === undefined) throw malformed(`a number at ${start} that JSON readers cannot hold exactly`)
    return value
  }

  for (;;) {
    let value: Json
    if (++nodes > maxNodes) throw tooLarge(`${maxNodes} values`)
    const code = skipSpace()
    if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (stack.length >= maxDepth) throw malformed(`nested deeper than ${maxDepth}`)
      at++
      const object = code === OPEN_OBJECT
      const empty = skipSpace() === (object ? CLOSE_OBJECT : CLOSE_LIST)
      value = object ? {} : []
      if (!empty) {
        stack.push(value)
        keys.push(object ? key() : '')
        continue
      }
      at++
    } else if (code === QUOTE) value = string()
    else if (code === 0x74) value = word('true', true)
    else if (code === 0x66) value = word('false', false)
    else if (code === 0x6e) value = word('null', null)
    else value = number()

    for (;;) {
      const parent = stack[stack.length - 1]
      const next = skipSpace()
      if (parent === undefined) {
        if (at < text.length) throw malformed('data after the end of the JSON')
        return value
      }
      if (Array.isArray(parent)) {
        parent.push(value)
        if (next === COMMA) {
          at++
          break
        }
        if (next !== CLOSE_LIST) throw unexpected()
      } else {
        const name = keys[keys.length - 1] as string
        if (Object.hasOwn(parent, name)) throw malformed('an object with the same key twice')
        parent[name] = value
        if (next === COMMA) {
          at++
          keys[keys.length - 1] = key()
          break
        }
        if (next !== CLOSE_OBJECT) throw unexpected()
      }
      at++
      stack.pop()
      keys.pop()
      value = parent
    }
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const LONE_SURROGATE = /\p{Surrogate}/u

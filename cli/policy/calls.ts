import type { ReadObject } from '../../lib/core/decide.ts'
import { describe, UserError } from '../../lib/core/errors.ts'
import { isObject } from '../../lib/core/json-rpc.ts'
import { rfc3339 } from '../../lib/core/rfc3339.ts'
import { type Json, parseStrict } from '../../lib/core/strict.ts'
import { oneLine } from '../render/one-line.ts'
import type { What } from './what.ts'

export type JsonObject = { [key: string]: Json }

/** What came of a call when it was made. */
export type Outcome = 'ok' | 'error'

/** One line of a file of calls. */
export interface CallLine {
  /** Counted from 1. */
  line: number
  what: What
  /** Milliseconds since the epoch; absent: the time of the line before. */
  at?: number
  outcome: Outcome
  /** Absent when the gate would not have taken the request. */
  request?: {
    /** Of a resource none; of a request its params. */
    arguments: JsonObject
    objects?: ReadObject[]
    /** What the agent answers a request, where that is asked too. */
    answer?: JsonObject
  }
  /** Why the gate would not have taken it. */
  refused?: { code: 'MalformedRequest' | 'RequestTooLarge'; reason: string }
}

const COMMON = ['server', 'at', 'outcome']
/** Which fields mean something beside the one that says what a line is about. */
const FIELDS = {
  tool: new Set([...COMMON, 'tool', 'arguments', 'objects']),
  resource: new Set([...COMMON, 'resource']),
  prompt: new Set([...COMMON, 'prompt', 'arguments']),
  request: new Set([...COMMON, 'request', 'params', 'answer']),
}
const TYPES = ['tool', 'resource', 'prompt', 'request'] as const
const EXAMPLE = '{"server": "billing", "tool": "refund", "arguments": {"amount": 12}}'

/**
 * The calls of a JSON Lines text, in order; empty lines are nothing. A line is read as strictly as the gate reads a
 * request, and one that the gate would refuse is a call with `refused`. `strange` are fields that mean nothing here.
 * @throws UserError BadUsage, with the line, for what is no call at all
 */
export const readCalls = (bytes: Uint8Array, source: string): { calls: CallLine[]; strange: string[] } => {
  const strange: string[] = []
  const calls = linesOf(bytes).flatMap(({ line, bytes }): CallLine[] => {
    const where = `line ${line} of ${source}`
    const parsed = parseStrict(bytes)
    // What the gate refuses still says, to a reader who is not strict, which call it was meant to be.
    const value = parsed.ok ? parsed.value : loose(bytes, where)
    if (!isObject(value)) throw usage(`${where} is not an object such as ${EXAMPLE}`)
    const what = whatOf(value, where)
    for (const field of Object.keys(value))
      if (!FIELDS[what.type].has(field)) strange.push(`${where}: ${JSON.stringify(field)}`)
    const common = { line, what, outcome: outcomeOf(value, where), ...timeOf(value, where) }
    const given = what.type === 'request' ? 'params' : 'arguments'
    const refusal = parsed.ok
      ? (argumentsProblem(value[given], `params${given === 'params' ? '' : '.arguments'}`) ??
        argumentsProblem(value.answer, 'the answer'))
      : describe(parsed.code, { detail: parsed.detail, limit: parsed.detail })
    if (refusal !== undefined) {
      const { code, message } = refusal as { code: 'MalformedRequest'; message: string }
      return [{ ...common, refused: { code, reason: message } }]
    }
    const objects = what.type === 'tool' ? objectsOf(value.objects, where) : undefined
    const answer = what.type === 'request' ? (value.answer as JsonObject | undefined) : undefined
    return [
      {
        ...common,
        request: {
          arguments: (value[given] ?? {}) as JsonObject,
          ...(objects === undefined ? {} : { objects }),
          ...(answer === undefined ? {} : { answer }),
        },
      },
    ]
  })
  if (calls.length === 0) throw usage(`${source} has no call; write one a line, such as ${EXAMPLE}`)
  return { calls, strange }
}

const usage = (detail: string): UserError => new UserError('BadUsage', { detail })

const NEWLINE = 0x0a
/** Split as bytes: what is not UTF-8 is for the strict parser to see. */
function linesOf(bytes: Uint8Array): { line: number; bytes: Uint8Array }[] {
  const lines: { line: number; bytes: Uint8Array }[] = []
  for (let line = 1, from = 0; from < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, from)
    const to = newline < 0 ? bytes.length : newline
    const one = bytes.subarray(from, to)
    if (one.some((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d)) lines.push({ line, bytes: one })
    from = to + 1
  }
  return lines
}

function loose(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw usage(`${where} is not JSON (${oneLine((error as Error).message)}); write an object such as ${EXAMPLE}`)
  }
}

function whatOf(value: Record<string, unknown>, where: string): What {
  const server = name(value, 'server', where)
  const types = TYPES.filter((type) => Object.hasOwn(value, type))
  if (types.length > 1) throw usage(`${where} is about several things (${types.join(', ')}); write a line for each`)
  const [type = 'tool'] = types
  return type === 'tool'
    ? { type, server, tool: name(value, 'tool', where) }
    : { type, server, name: name(value, type, where) }
}

function name(value: Record<string, unknown>, field: 'server' | (typeof TYPES)[number], where: string): string {
  const given = Object.hasOwn(value, field) ? value[field] : undefined
  if (typeof given === 'string' && given !== '') return given
  throw usage(`${where} has no ${field}; write an object such as ${EXAMPLE}`)
}

function outcomeOf(value: Record<string, unknown>, where: string): Outcome {
  const { outcome = 'ok' } = value
  if (outcome === 'ok' || outcome === 'error') return outcome
  throw usage(`${where}: outcome is ${JSON.stringify(outcome)}; write "ok" or "error", which is what came of the call`)
}

function timeOf(value: Record<string, unknown>, where: string): { at?: number } {
  const { at } = value
  if (at === undefined) return {}
  const ms = typeof at === 'string' ? rfc3339(at) : undefined
  if (ms !== undefined) return { at: ms }
  throw usage(`${where}: at is ${JSON.stringify(at)}; write a time such as "2026-11-21T02:00:00Z"`)
}

/** As the gate sees `params.arguments`. */
function argumentsProblem(args: unknown, what: string) {
  if (args === undefined || isObject(args)) return undefined
  return describe('MalformedRequest', { detail: `${what} must be an object` })
}

function objectsOf(objects: unknown, where: string): ReadObject[] | undefined {
  if (objects === undefined) return undefined
  const fits = (one: unknown): boolean =>
    isObject(one) && typeof one.tool === 'string' && ['string', 'undefined'].includes(typeof one.problem)
  if (Array.isArray(objects) && objects.every(fits)) return objects as ReadObject[]
  throw usage(
    `${where}: objects is not a list of what was read, such as [{"tool": "tickets/get_ticket", "value": {"owner": "ana"}}]`,
  )
}

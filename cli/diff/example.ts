import { decimalOf } from '../../lib/core/decimal.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { Json } from '../../lib/core/strict.ts'
import type { Candidate, Judge } from './judge.ts'
import { type Before, pasts } from './pasts.ts'
import { answers, type Decided, judged, type Question } from './verify.ts'

/** A call that `decide` itself answers as the question asks. */
export interface Example {
  question: Question
  candidate: Candidate
  before: Before
  decided: Decided
}

/** So many decisions at most are spent on making one model an example. */
const MAX_TRIES = 3_000

/**
 * Makes an example of what the solver found, or of something close to it where the solver knew too little: other values
 * for arguments that only opaque expressions look at, and pasts in which limits are reached. Undefined when none holds.
 */
export function exampleOf(judge: Judge, question: Question, found: Candidate, hints: Hints): Example | undefined {
  let tries = 0
  for (const args of variations(found.arguments, hints)) {
    const candidate = { ...found, arguments: args }
    for (const before of pasts(judge, candidate)) {
      if (tries++ > MAX_TRIES) return undefined
      const decided = judged(judge, candidate, before)
      if (answers(question, decided)) return plainer(judge, { question, candidate, before, decided }, hints)
    }
  }
  return undefined
}

/** What may help: members that opaque expressions name, and texts the policies mention. */
export interface Hints {
  members: string[]
  /** Texts and numbers that opaque expressions name. */
  values: Json[]
  texts: string[]
  schema?: Record<string, unknown>
}

function* variations(args: Json, hints: Hints): Generator<Json> {
  yield args
  if (!isObject(args)) return
  const complete = hints.schema === undefined ? args : withRequired(args, hints.schema)
  if (complete !== args) yield complete
  if (hints.members.length === 0) return
  const values: Json[] = [
    ...hints.values,
    'a',
    'b',
    1,
    2,
    true,
    'a@corp.example',
    [],
    ['a'],
    ...hints.texts.slice(0, 4),
  ]
  const members = hints.members.slice(0, 3)
  for (let index = 0; index < values.length ** members.length && index < 600; index++) {
    const varied: JsonObject = { ...complete }
    let rest = index
    for (const member of members) {
      varied[member] = values[rest % values.length] as Json
      rest = Math.floor(rest / values.length)
    }
    yield varied
  }
}

/** With what a pinned definition requires and the call does not have yet. */
function withRequired(args: JsonObject, schema: Record<string, unknown>): JsonObject {
  const missing = (Array.isArray(schema.required) ? schema.required : []).filter(
    (name): name is string => typeof name === 'string' && !Object.hasOwn(args, name),
  )
  if (missing.length === 0) return args
  const properties = isObject(schema.properties) ? (schema.properties as Record<string, unknown>) : {}
  return { ...args, ...Object.fromEntries(missing.map((name) => [name, sampleOf(properties[name], 0)])) }
}

const SAMPLES: Record<string, Json> = { string: 'x', number: 1, integer: 1, boolean: true, array: [], null: null }

function sampleOf(schema: unknown, depth: number): Json {
  if (!isObject(schema) || depth > 8) return 'x'
  if (Array.isArray(schema.enum)) return schema.enum[0] as Json
  if (schema.const !== undefined) return schema.const
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'object') return withRequired({}, schema)
  if (type === 'array' && typeof schema.minItems === 'number')
    return Array.from({ length: schema.minItems }, () => sampleOf(schema.items, depth + 1))
  if (typeof schema.minimum === 'number') return schema.minimum
  if (typeof schema.minLength === 'number') return 'x'.repeat(schema.minLength)
  return SAMPLES[String(type)] ?? 'x'
}

/** The same example with plainer values, as long as the same rules decide. */
function plainer(judge: Judge, example: Example, hints: Hints): Example {
  let best = example
  const same = (decided: Decided): boolean =>
    (['old', 'new'] as const).every(
      (which) =>
        decided[which].effect === example.decided[which].effect &&
        decided[which].rule === example.decided[which].rule &&
        decided[which].policy === example.decided[which].policy &&
        decided[which].code === example.decided[which].code,
    )
  const attempt = (args: Json): boolean => {
    const candidate = { ...best.candidate, arguments: args }
    const decided = judged(judge, candidate, best.before)
    if (!same(decided)) return false
    best = { ...best, candidate, decided }
    return true
  }
  for (const place of placesOf(best.candidate.arguments)) {
    for (const change of changesOf(get(best.candidate.arguments, place), hints))
      if (attempt(set(best.candidate.arguments, place, change))) break
  }
  return best
}

type Place = (string | number)[]
const REMOVED = Symbol('removed')

function placesOf(value: Json, at: Place = []): Place[] {
  if (at.length > 6) return []
  const inside = Array.isArray(value)
    ? value.slice(0, 8).flatMap((element, index) => placesOf(element, [...at, index]))
    : isObject(value)
      ? Object.entries(value).flatMap(([key, member]) => placesOf(member, [...at, key]))
      : []
  return at.length === 0 ? inside : [at, ...inside]
}

function* changesOf(value: Json | undefined, { texts }: Hints): Generator<Json | typeof REMOVED> {
  if (value === undefined) return
  yield REMOVED
  if (typeof value === 'string' && 'value' in decimalOf(value)) yield Number(value)
  if (typeof value === 'string' && !texts.includes(value)) for (const text of texts.slice(0, 40)) yield text
  if (typeof value === 'number')
    for (const places of [0, 1, 2]) for (const way of [0, 1, -1]) yield rounded(value, places, way)
}

const rounded = (value: number, places: number, way: number): number =>
  (Math.round(value * 10 ** places) + way) / 10 ** places

const get = (value: Json | undefined, [step, ...rest]: Place): Json | undefined =>
  step === undefined || value === undefined || value === null
    ? value
    : get((value as Record<string | number, Json>)[step], rest)

function set(value: Json, [step, ...rest]: Place, to: Json | typeof REMOVED): Json {
  if (step === undefined) return to as Json
  if (Array.isArray(value))
    return rest.length === 0 && to === REMOVED
      ? value.filter((_, index) => index !== step)
      : value.map((element, index) => (index === step ? set(element, rest, to) : element))
  const { [step as string]: inside, ...others } = value as JsonObject
  if (rest.length === 0 && to === REMOVED) return others
  return { ...(value as JsonObject), [step]: set(inside as Json, rest, to) }
}

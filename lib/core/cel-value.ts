import Big from 'big.js'
import { typeName } from './path.ts'
import type { Json } from './strict.ts'

/** A value of an expression: JSON, of which an integer beyond 2^53 is a bigint. */
export type Value = Json | bigint

/** Why an expression cannot be evaluated; thrown, and caught where && and || may do without it. */
export interface Fault {
  problem: string
}
export const isFault = (thrown: unknown): thrown is Fault =>
  typeof thrown === 'object' && thrown !== null && !(thrown instanceof Error) && 'problem' in thrown

/** One evaluation. */
export interface Scope {
  args: Json
  server: string
  tool: string
  /** Values of the variables of comprehensions. */
  slots: Value[]
  /** Steps that are left. */
  left: number
}
export type Run = (scope: Scope) => Value

/** More steps than an evaluation may take; nothing absorbs it. */
export const TOO_DEAR: Fault = { problem: 'it takes too many steps for these arguments' }

export function spend(scope: Scope, steps: number): void {
  scope.left -= Math.floor(steps)
  if (scope.left < 0) throw TOO_DEAR
}

export const nameOf = (value: Value): string => (typeof value === 'bigint' ? 'a number' : typeName(value))

const isNumber = (value: Value): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'

/** The decimal a number stands for; a double stands for the shortest decimal that is nearest to it. */
const big = (value: number | bigint): Big => new Big(String(value))

/** Whether two values are the same. Throws a Fault for values of different types, at any depth, unless one is null. */
export function equal(a: Value, b: Value, scope: Scope): boolean {
  spend(scope, 1)
  if (a === null || b === null) return a === b
  if (isNumber(a) && isNumber(b)) return typeof a === typeof b ? a === b : big(a).eq(big(b))
  const [left, right] = [nameOf(a), nameOf(b)]
  if (left !== right) throw { problem: `it compares ${left} with ${right}` } satisfies Fault
  if (typeof a === 'string') {
    spend(scope, a.length / 64)
    return a === b
  }
  if (Array.isArray(a)) {
    const other = b as Json[]
    return a.length === other.length && a.every((element, index) => equal(element, other[index] as Json, scope))
  }
  if (typeof a !== 'object') return a === b
  const other = b as { [key: string]: Json }
  const keys = Object.keys(a)
  spend(scope, 2 * keys.length)
  if (keys.length !== Object.keys(other).length) return false
  return keys.every((key) => Object.hasOwn(other, key) && equal(a[key] as Json, other[key] as Json, scope))
}

/** Below zero, zero or above: numbers exactly, texts by code point. Throws a Fault for anything else. */
export function order(a: Value, b: Value, scope: Scope): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (isNumber(a) && isNumber(b)) return big(a).cmp(big(b))
  if (typeof a === 'string' && typeof b === 'string') {
    spend(scope, (a.length + b.length) / 16)
    return Buffer.compare(Buffer.from(a), Buffer.from(b))
  }
  throw { problem: `it orders ${nameOf(a)} and ${nameOf(b)}` } satisfies Fault
}

const LEAST = -(2n ** 63n)
const MOST = 2n ** 63n - 1n

/** Exact arithmetic on two numbers; a Fault where there is no exact result. */
export function compute(op: '+' | '-' | '*' | '/' | '%', a: Value, b: Value, scope: Scope): Value {
  if (!isNumber(a) || !isNumber(b)) throw { problem: `it computes ${nameOf(a)} ${op} ${nameOf(b)}` } satisfies Fault
  const [left, right] = [integer(a), integer(b)]
  if (left === undefined || right === undefined) {
    spend(scope, op === '/' ? 80 : 40)
    return decimal(op, big(a), big(b))
  }
  if (right === 0n && (op === '/' || op === '%')) throw { problem: 'it divides by zero' } satisfies Fault
  if (op === '/' && left % right !== 0n) throw INEXACT
  const result = INTEGERS[op](left, right)
  if (result < LEAST || result > MOST) throw { problem: 'a result is beyond 64 bits' } satisfies Fault
  return Number.isSafeInteger(Number(result)) ? Number(result) : result
}

const INEXACT: Fault = { problem: 'a result cannot be computed exactly' }
const INTEGERS = {
  '+': (a: bigint, b: bigint) => a + b,
  '-': (a: bigint, b: bigint) => a - b,
  '*': (a: bigint, b: bigint) => a * b,
  '/': (a: bigint, b: bigint) => a / b,
  '%': (a: bigint, b: bigint) => a % b,
}

function integer(value: number | bigint): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (Number.isSafeInteger(value)) return BigInt(value)
  return Number.isInteger(value) && Math.abs(value) < 2 ** 64 ? BigInt(big(value).toFixed()) : undefined
}

function decimal(op: '+' | '-' | '*' | '/' | '%', a: Big, b: Big): number {
  if (op === '%') throw { problem: 'it takes the remainder of a number with a fraction' } satisfies Fault
  if (op === '/' && b.eq(0)) throw { problem: 'it divides by zero' } satisfies Fault
  const result = op === '+' ? a.plus(b) : op === '-' ? a.minus(b) : op === '*' ? a.times(b) : a.div(b)
  if (op === '/' && !result.times(b).eq(a)) throw INEXACT
  const value = Number(result.toString())
  if (!Number.isFinite(value) || !new Big(value).eq(result)) throw INEXACT
  return value
}

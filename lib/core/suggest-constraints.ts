import type Big from 'big.js'
import type { Constraint } from '../api/gen/types.ts'
import { compileConstraint } from './constraint.ts'
import { checkConstraints } from './constraint-check.ts'
import { decimalOf } from './decimal.ts'
import { type Seen, scalarsByPath } from './observe.ts'
import { problems } from './problem.ts'
import type { Json } from './strict.ts'

/** Distinct texts up to which a suggestion lists them. */
const FEW = 5
/** Constraints of one rule, as the kind's schema allows. */
const MAX_CONSTRAINTS = 32

/** What is known of one call. */
export interface Known {
  /** Absent when they were too large to be recorded. */
  arguments?: unknown
  about: { server: string; tool: string }
}

/** Constraints that hold for all of the calls, from what their arguments have in common. */
export function constraintsFor(calls: Known[]): Constraint[] {
  // A call whose arguments were too large to keep may have had any.
  if (calls.some((call) => call.arguments === undefined)) return []
  const all = calls.map((call) => call.arguments as Json)
  return scalarsByPath(all)
    .flatMap((seen) => holding(candidate(seen), calls))
    .slice(0, MAX_CONSTRAINTS)
}

/** The candidate as it holds for every call, made optional where need be; nothing when it does not. */
function holding(constraint: Constraint | undefined, calls: Known[]): Constraint[] {
  if (constraint === undefined) return []
  const found = problems()
  checkConstraints([constraint], 'where', found)
  if (found.list.length > 0) return []
  const holds = (variant: Constraint): boolean => {
    const evaluate = compileConstraint(variant, 'every', false)
    return calls.every((call) => evaluate(call.arguments as Json, call.about).is === 'true')
  }
  return [constraint, { ...constraint, optional: true }].filter(holds).slice(0, 1)
}

function candidate({ path, values }: Seen): Constraint | undefined {
  const distinct = [...new Set(values)]
  if (distinct.every((value) => typeof value === 'boolean')) {
    return distinct.length === 1 ? { arg: path, equals: distinct[0] as boolean } : undefined
  }
  const key = path.slice(path.lastIndexOf('.') + 1)
  const decimals = distinct.map((value) => (typeof value === 'boolean' ? { problem: '' } : decimalOf(value)))
  if (decimals.every((decimal) => 'value' in decimal)) {
    return /(?:^|_|-)id$|Id$/.test(key)
      ? undefined
      : range(
          path,
          decimals.map((decimal) => decimal.value),
        )
  }
  const texts = distinct.filter((value) => typeof value === 'string').sort()
  return texts.length === distinct.length ? forTexts(path, texts, values.length) : undefined
}

function range(arg: string, decimals: Big[]): Constraint {
  const sorted = [...decimals].sort((a, b) => a.cmp(b))
  return { arg, min: (sorted[0] as Big).toFixed(), max: (sorted[sorted.length - 1] as Big).toFixed() }
}

function forTexts(arg: string, texts: string[], count: number): Constraint | undefined {
  const domains = new Set(texts.map((text) => /^[^@\s]+(@[^@\s]+)$/.exec(text)?.[1]))
  const [domain] = domains
  if (domains.size === 1 && domain !== undefined) return { arg, suffix: domain }
  if (texts.some((text) => text === '' || text.length > 64 || /\s/.test(text))) return undefined
  if (texts.length <= FEW && (texts.length < count || count === 1)) return { arg, in: texts }
  const first = texts[0] as string
  const last = texts[texts.length - 1] as string
  let length = 0
  while (length < first.length && first[length] === last[length]) length++
  const prefix = /^.{2,}[-_:/.]/.exec(first.slice(0, length))?.[0]
  return prefix === undefined ? undefined : { arg, prefix }
}

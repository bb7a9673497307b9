import type { ObjectRule } from '../../api/gen/types.ts'
import { canonical } from '../canonical.ts'
import { compileConstraint } from '../constraint.ts'
import { type FactPath, factPath } from '../history/facts.ts'
import { resolvePath } from '../path.ts'
import type { Json } from '../strict.ts'
import type { Asked, Check, ReadObject } from './check.ts'

/** What has to be read before a call can be decided. */
export interface ObjectNeed {
  /** "server/tool" */
  tool: string
  arguments: Json
}

export interface PreparedObject {
  /** The read, or why it cannot be made of these arguments. */
  need: (args: Json) => ObjectNeed | { problem: string }
  checks: (asked: Asked) => Check[]
}

/** @param withheld whether what a path of the object leads to may not be shown */
export function prepareObject(
  { read, with: mapping = {}, where = [] }: ObjectRule,
  withheld: (arg: string | undefined) => boolean,
): PreparedObject {
  const pairs = Object.entries(mapping).map(([name, arg]) => [name, factPath(arg)] as const)
  const constraints = where.map((constraint) => compileConstraint(constraint, 'every', withheld(constraint.arg)))
  const slash = read.indexOf('/')
  const about = { server: read.slice(0, slash), tool: read.slice(slash + 1) }
  const need = (args: Json): ObjectNeed | { problem: string } => {
    const asks: Record<string, Json> = {}
    for (const [name, path] of pairs) {
      const found = single(args, path)
      if ('problem' in found) return found
      asks[name] = found.value
    }
    return { tool: read, arguments: asks }
  }
  return {
    need,
    checks: ({ arguments: args, objects }) => {
      const needed = need(args)
      if ('problem' in needed) return [{ is: 'error', what: needed.problem }]
      const found = objects?.find((object) => isFor(object, needed))
      if (found?.value === undefined)
        return [{ is: 'error', what: `${read}: ${found?.problem ?? 'the object was not read'}` }]
      const { value } = found
      return constraints.map((evaluate): Check => {
        const truth = evaluate(value, about)
        if (truth.is === 'true') return { is: 'true' }
        if (truth.is === 'error') return { is: 'error', what: `of ${read}, ${truth.what}` }
        return { is: 'false', code: 'ConstraintFailed', what: `of ${read}, ${truth.what}`, wants: truth.wants }
      })
    },
  }
}

const isFor = (object: ReadObject, need: ObjectNeed): boolean =>
  object.tool === need.tool &&
  (object.arguments === undefined || canonical(object.arguments) === canonical(need.arguments))

/** The one scalar a path leads to, as it is. */
function single(args: Json, { arg, steps }: FactPath): { value: Json } | { problem: string } {
  const [found, ...more] = resolvePath(args, steps)
  if (found === undefined || more.length > 0) return { problem: `${arg} is not one value` }
  if (found.kind === 'error') return { problem: found.detail }
  if (found.kind !== 'value') return { problem: `${found.where} is ${found.kind}` }
  if (found.value === null || typeof found.value === 'object')
    return { problem: `${found.where} is not a single value` }
  return { value: found.value }
}

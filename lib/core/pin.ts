import type { Pin, ToolDefinition } from '../api/gen/types.ts'
import { canonical, sha256hex } from './canonical.ts'
import type { ErrorCode } from './errors.ts'
import { isObject } from './json-rpc.ts'

const PARTS = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const

/** What of a definition a pin is about: everything an agent is told of the tool. Icons and `_meta` are not among it. */
export const pinnedParts = (definition: ToolDefinition): Record<string, unknown> =>
  Object.fromEntries(PARTS.filter((part) => definition[part] !== undefined).map((part) => [part, definition[part]]))

/** "sha256:" and the hex digest of the RFC 8785 form of what a pin is about. */
export const definitionDigest = (definition: ToolDefinition): string =>
  `sha256:${sha256hex(canonical(pinnedParts(definition)))}`

const MAX_CHANGES = 8
const brief = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** What differs between two definitions, one phrase each ("inputSchema.properties.amount.type: "number" is now "string""), at most 8. */
export function drift(pinned: ToolDefinition, now: ToolDefinition): string[] {
  const changes: string[] = []
  const walk = (before: unknown, after: unknown, at: string): void => {
    if (changes.length > MAX_CHANGES) return
    if (isObject(before) && isObject(after)) {
      for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
        walk(before[key], after[key], at === '' ? key : `${at}.${key}`)
      return
    }
    const same =
      before === after || (before !== undefined && after !== undefined && canonical(before) === canonical(after))
    if (!same) changes.push(`${at}: ${brief(before)} is now ${brief(after)}`)
  }
  walk(pinnedParts(pinned), pinnedParts(now), '')
  return changes.length > MAX_CHANGES ? [...changes.slice(0, MAX_CHANGES), 'and more'] : changes
}

/** Why a pin does not hold: a code of the catalog and a phrase for its `detail`. */
export interface PinProblem {
  code: Extract<ErrorCode, 'ToolChanged' | 'ToolNotPinned' | 'ToolUndeclared'>
  policy: string
  detail: string
}

/**
 * Holds a tool against the pins of its server: undefined when it is as pinned, or its server has no pins.
 * @param digest of `definition`, when the caller has it already
 */
export function pinProblem(
  pins: (Pin & { policy: string })[],
  tool: string,
  definition: ToolDefinition | 'pinned' | undefined,
  digest?: string,
): PinProblem | undefined {
  const [any] = pins
  if (any === undefined) return undefined
  const mine = pins.filter((pin) => pin.tool === tool)
  if (mine.length === 0) return { code: 'ToolNotPinned', policy: any.policy, detail: 'no pin names it' }
  if (definition === 'pinned') return undefined
  const [first] = mine as [(typeof mine)[number]]
  if (definition === undefined) return { code: 'ToolUndeclared', policy: first.policy, detail: 'not declared' }
  const now = digest ?? definitionDigest(definition)
  const broken = mine.find((pin) => pin.digest !== now)
  if (broken === undefined) return undefined
  const changes = broken.definition === undefined ? [] : drift(broken.definition, definition)
  const detail = changes.length > 0 ? changes.join('; ') : `its digest is now ${now}`
  return { code: 'ToolChanged', policy: broken.policy, detail }
}

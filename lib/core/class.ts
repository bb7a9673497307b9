import type { ToolClass, ToolDefinition } from '../api/gen/types.ts'

/** From what changes nothing to what starts further work. */
export const CLASSES = ['Read', 'Draft', 'Write', 'SideEffect', 'Autonomous'] as const satisfies readonly ToolClass[]

const rank = (cls: ToolClass): number => CLASSES.indexOf(cls)
export const isStronger = (cls: ToolClass, than: ToolClass): boolean => rank(cls) > rank(than)

/** The stronger of the two; undefined stands for no class at all and gives way. */
export const stronger = (a: ToolClass | undefined, b: ToolClass | undefined): ToolClass | undefined =>
  a === undefined || (b !== undefined && isStronger(b, a)) ? b : a

/**
 * The weakest class that a tool can have by what its server says of it (MCP tool annotations), or undefined. Only what
 * is said counts, and only what makes a tool more dangerous: a server's word that its tool is harmless proves nothing.
 */
export function annotatedClass(definition: ToolDefinition | undefined): ToolClass | undefined {
  const annotations = definition?.annotations
  if (typeof annotations !== 'object' || annotations === null) return undefined
  const { readOnlyHint, destructiveHint, openWorldHint } = annotations as Record<string, unknown>
  if (destructiveHint === true || (openWorldHint === true && readOnlyHint !== true)) return 'SideEffect'
  return readOnlyHint === false ? 'Write' : undefined
}

/** The class of a tool by those that rules give it; a server's annotations can make it stronger, but cannot give one. */
export function classOf(given: ToolClass[], annotated: ToolClass | undefined): ToolClass | undefined {
  const byRules = given.reduce<ToolClass | undefined>(stronger, undefined)
  return byRules === undefined ? undefined : stronger(byRules, annotated)
}

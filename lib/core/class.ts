import type { ToolClass, ToolDefinition } from '../api/gen/types.ts'
import type { Remit } from '../api/remit.ts'
import { compileMatch } from './match.ts'

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

/** The class of a tool by what rules give it; a server's annotations can make it stronger, but cannot give one. */
export const withAnnotations = (byRules: ToolClass | undefined, annotated: ToolClass | undefined) =>
  byRules === undefined ? undefined : stronger(byRules, annotated)

export type Classify = (server: string, tool: string) => ToolClass | undefined

/** The strongest class that a remit's rules give a tool; those that go by classes themselves give none. */
export function classifier({ rules }: Pick<Remit, 'rules'>): Classify {
  const giving = rules.flatMap((rule) =>
    rule.type !== 'tool' || rule.class === undefined || rule.match.classes !== undefined
      ? []
      : [{ cls: rule.class, names: compileMatch(rule.match).names }],
  )
  return (server, tool) => {
    let cls: ToolClass | undefined
    for (const each of giving) if (each.names(server, tool)) cls = stronger(cls, each.cls)
    return cls
  }
}

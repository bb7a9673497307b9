import type { Match, ToolClass } from '../api/gen/types.ts'
import { glob } from './glob.ts'

/** A rule's `match`, ready to be asked; its two halves apart, because a tool's class is found by the first. */
export interface Matcher {
  /** By servers and tools. */
  names: (server: string, tool: string) => boolean
  /** By classes; undefined where the rule names none. */
  classes?: Set<ToolClass>
}

export function compileMatch(match: Match): Matcher {
  const servers = match.servers?.map(glob)
  const tools = match.tools?.map(glob)
  return {
    names: (server, tool) =>
      (servers === undefined || servers.some((fits) => fits(server))) &&
      (tools === undefined || tools.some((fits) => fits(tool))),
    ...(match.classes === undefined ? {} : { classes: new Set(match.classes) }),
  }
}

/** What rules say a tool is, and what it is with what its server admits; undefined: nothing gives it a class. */
export interface ToolClasses {
  byRules: ToolClass | undefined
  cls: ToolClass | undefined
}

/**
 * Whether a tool's class is among the classes of a rule. What restricts looks at both, or a server could lead its tool
 * out of a restriction by admitting to more; what gives wants both among its classes. A tool without a class is in
 * whatever restricts and in nothing that gives: what nobody has classified must not pass for harmless.
 */
export function fitsClass({ classes }: Matcher, { byRules, cls }: ToolClasses, restricts: boolean): boolean {
  if (classes === undefined) return true
  if (byRules === undefined || cls === undefined) return restricts
  return restricts ? classes.has(byRules) || classes.has(cls) : classes.has(byRules) && classes.has(cls)
}

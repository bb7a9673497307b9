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

/**
 * Whether a tool's class is among the classes of a rule. A tool without one is in whatever restricts and in nothing
 * that gives: what nobody has classified must not pass for harmless.
 */
export const fitsClass = ({ classes }: Matcher, cls: ToolClass | undefined, restricts: boolean): boolean =>
  classes === undefined || (cls === undefined ? restricts : classes.has(cls))

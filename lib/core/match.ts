import type { Match, ToolClass } from '../api/gen/types.ts'
import { glob } from './glob.ts'

/** A rule's `match`, ready to be asked; its two halves apart, because a tool's class is found by the first. */
export interface Matcher {
  /** By servers and tools. */
  names: (server: string, tool: string) => boolean
  /** Whether everything of the server is meant, resources and prompts too: it names neither tools nor classes. */
  everythingOf: (server: string) => boolean
  /** By classes; undefined where the rule names none. */
  classes?: Set<ToolClass>
}

export function compileMatch(match: Match): Matcher {
  const servers = match.servers?.map(glob)
  const tools = match.tools?.map(glob)
  const ofServer = (server: string): boolean => servers === undefined || servers.some((fits) => fits(server))
  const everything = match.tools === undefined && match.classes === undefined
  return {
    names: (server, tool) => ofServer(server) && (tools === undefined || tools.some((fits) => fits(tool))),
    everythingOf: (server) => everything && ofServer(server),
    ...(match.classes === undefined ? {} : { classes: new Set(match.classes) }),
  }
}

/** What rules say a tool is, and what it is with what its server admits; undefined: nothing gives it a class. */
export interface ToolClasses {
  byRules: ToolClass | undefined
  cls: ToolClass | undefined
}

/**
 * Whether a rule speaks of tools of these classes. Either is enough, or a server could lead its tool out of a
 * restriction, an error or an `otherwise` by admitting to more. A tool without a class is in whatever restricts and in
 * nothing that gives: what nobody has classified must not pass for harmless.
 */
export const fitsClass = ({ classes }: Matcher, { byRules, cls }: ToolClasses, restricts: boolean): boolean =>
  classes === undefined ||
  (byRules === undefined || cls === undefined ? restricts : classes.has(byRules) || classes.has(cls))

/** Whether a rule that speaks of a tool may also give: then both are among its classes. */
export const fitsWhole = ({ classes }: Matcher, { byRules, cls }: ToolClasses): boolean =>
  classes === undefined || (byRules !== undefined && classes.has(byRules) && cls !== undefined && classes.has(cls))

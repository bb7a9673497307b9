import type { ToolClass } from '../api/gen/types.ts'
import { aliasOf } from './alias.ts'
import { glob } from './glob.ts'
import { compileMatch, fitsClass } from './match.ts'
import { parsePath, type Step } from './path.ts'
import type { PreparedRemit } from './prepare.ts'
import type { Json } from './strict.ts'

/** Paths into the arguments and the result of one tool that may not be seen in clear. */
export interface Redactions {
  arguments: Step[][]
  /** Of enforced policies: withheld from the agent too. */
  results: Step[][]
  /** Of any policy: withheld from the record. */
  recorded: Step[][]
}

type Paths = (Redactions & {
  fits: (server: string, tool: string, cls: ToolClass | undefined) => boolean
  ofServer: (server: string) => boolean
})[]
const NONE: Redactions = { arguments: [], results: [], recorded: [] }
const compiled = new WeakMap<PreparedRemit['remit'], Paths>()

/** A path that cannot be read withholds everything: the root itself. */
const stepsOf = (paths: string[] | undefined): Step[][] => (paths ?? []).map((path) => parsePath(path) ?? [])

function compile({ remit: { redactions = [] }, ruleClass }: Pick<PreparedRemit, 'remit' | 'ruleClass'>): Paths {
  return redactions.map(({ match, mode, ...paths }) => {
    const matcher = compileMatch(match)
    const servers = match.servers?.map(glob)
    const recorded = stepsOf(paths.results)
    return {
      ofServer: (server) => servers === undefined || servers.some((fits) => fits(server)),
      fits: (server, tool, cls) =>
        matcher.names(server, tool) && fitsClass(matcher, { byRules: ruleClass(server, tool), cls }, true),
      arguments: stepsOf(paths.arguments),
      results: mode === 'Observe' ? [] : recorded,
      recorded,
    }
  })
}

/**
 * What of a tool's arguments and results is redacted. A policy that only observes changes nothing for the agent, but
 * its redactions hold for the record: what was written there in clear once cannot be taken back.
 *
 * @param cls the tool's class; where it has none or it is not known, it is in every class
 */
export function redactionsOf(
  prepared: Pick<PreparedRemit, 'remit' | 'ruleClass'>,
  server: string,
  tool: string,
  cls?: ToolClass,
): Redactions {
  return together(pathsOf(prepared).filter(({ fits }) => fits(server, tool, cls)))
}

/**
 * What is redacted of resources and prompts of a server: all that is redacted of any of its tools, because the same
 * values can be read by either way.
 */
export const redactionsOfServer = (prepared: Pick<PreparedRemit, 'remit' | 'ruleClass'>, server: string): Redactions =>
  together(pathsOf(prepared).filter(({ ofServer }) => ofServer(server)))

function pathsOf(prepared: Pick<PreparedRemit, 'remit' | 'ruleClass'>): Paths {
  const { remit } = prepared
  if (!remit.redactions?.length) return []
  let paths = compiled.get(remit)
  if (paths === undefined) {
    paths = compile(prepared)
    compiled.set(remit, paths)
  }
  return paths
}

const together = (fitting: Paths): Redactions =>
  fitting.length === 0
    ? NONE
    : {
        arguments: fitting.flatMap((one) => one.arguments),
        results: fitting.flatMap((one) => one.results),
        recorded: fitting.flatMap((one) => one.recorded),
      }

/** Whether results of any tool of the server are withheld from the agent. */
export const redactsResultsOf = ({ remit }: Pick<PreparedRemit, 'remit'>, server: string): boolean =>
  remit.redactions?.some(
    ({ match, mode, results }) =>
      mode !== 'Observe' && results !== undefined && (match.servers?.some((name) => glob(name)(server)) ?? true),
  ) ?? false

/**
 * A copy of `value` in which `commit` stands in for what any of the paths lead to. Where the value is of another type
 * than a path goes on with, all of it is replaced, and a member whose name differs from a step's in case only counts as
 * that step: some server reads it as that. What is not there is not made up.
 *
 * @param commit given the place ("to[1].phone"; "" for the value itself) and what stands there
 */
export function redact(value: Json, paths: Step[][], commit: (where: string, value: Json) => Json): Json {
  return paths.length === 0 ? value : walk(value, paths, 0, '', commit)
}

function walk(
  value: Json,
  paths: Step[][],
  depth: number,
  where: string,
  commit: (where: string, value: Json) => Json,
): Json {
  if (paths.some((path) => path.length === depth)) return commit(where, value)
  if (value === null) return null
  const steps = paths.map((path) => path[depth] as Step)
  if (Array.isArray(value)) {
    if (steps.some((step) => 'key' in step)) return commit(where, value)
    return value.map((element, index) => walk(element, paths, depth + 1, `${where}[${index}]`, commit))
  }
  if (typeof value !== 'object' || steps.some((step) => 'each' in step)) return commit(where, value)
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const inside = paths.filter((path) => isMeant((path[depth] as { key: string }).key, name))
      const place = where === '' ? name : `${where}.${name}`
      return [name, inside.length === 0 ? member : walk(member, inside, depth + 1, place, commit)]
    }),
  )
}

const isMeant = (wanted: string, name: string): boolean => wanted === name || aliasOf(wanted, [name]) !== undefined

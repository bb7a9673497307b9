import type { Constraint, Match, PolicySpec, ToolDefinition } from '../../api/gen/types.ts'
import { TYPE_NAMES, typesOf, type ValueType } from '../constraint-types.ts'
import { isObject } from '../json-rpc.ts'
import { compileMatch } from '../match.ts'
import { parsePath } from '../path.ts'
import { type Problem, type Problems, problems } from '../problem.ts'
import { shown } from '../quote.ts'
import { matchTool } from '../rule/evidence.ts'
import { isAboutTools, type Place, placesOf } from './places.ts'
import { type Budget, newBudget, typesAt } from './schema-types.ts'

/** A tool that is known to exist, with its definition where that is known too. */
interface Known {
  server: string
  tool: string
  definition?: ToolDefinition
}
type KnownByServer = Map<string, Known[]>

/**
 * Rules that can never match a tool of the servers they name, or that err whatever they are asked about. Only servers
 * whose tools are all known count: those that are pinned, and those of `tools`.
 *
 * @param tools what servers declare, by name
 */
export function pinnedProblems(spec: PolicySpec, tools: Record<string, ToolDefinition[]> = {}): Problem[] {
  const known = knownTools(spec, tools)
  if (known.size === 0) return []
  const found = problems()
  const budget = newBudget()
  for (const place of placesOf(spec).filter(isAboutTools)) checkPlace(place, known, budget, found)
  for (const [index, { after }] of (spec.taint ?? []).entries())
    reached(after, `spec.taint[${index}].after`, known, found)
  for (const [index, { match }] of (spec.redact ?? []).entries())
    reached(match, `spec.redact[${index}].match`, known, found)
  for (const [index, { evidence = [], object }] of (spec.tools ?? []).entries()) {
    const field = `spec.tools[${index}]`
    for (const [at, { tool }] of evidence.entries()) named(tool, `${field}.evidence[${at}].tool`, known, found)
    if (object !== undefined) named(object.read, `${field}.object.read`, known, found)
  }
  return found.list
}

function knownTools({ pins = [] }: PolicySpec, tools: Record<string, ToolDefinition[]>): KnownByServer {
  const known: KnownByServer = new Map()
  for (const [server, definitions] of Object.entries(tools)) {
    known.set(
      server,
      definitions.map((definition) => ({ server, tool: String(definition.name), definition })),
    )
  }
  for (const server of new Set(pins.map((pin) => pin.server))) {
    const declared = known.get(server) ?? []
    const pinned = pins.filter((pin) => pin.server === server)
    known.set(
      server,
      pinned.map(({ tool, definition = declared.find((each) => each.tool === tool)?.definition }) => ({
        server,
        tool,
        ...(definition === undefined ? {} : { definition }),
      })),
    )
  }
  return known
}

/** The tools a match can be about, when it is about no others; undefined when it could be about tools not known. */
function fitting(match: Match, known: KnownByServer): Known[] | undefined {
  if (match.servers === undefined || !match.servers.every((server) => known.has(server))) return undefined
  const { names } = compileMatch(match)
  return match.servers.flatMap((server) => known.get(server) ?? []).filter(({ server, tool }) => names(server, tool))
}

function checkPlace(place: Place, known: KnownByServer, budget: Budget, found: Problems): void {
  const tools = reached(place.match, `${place.field}.match`, known, found)
  if (tools === undefined || tools.length === 0) return
  const definitions = tools.flatMap(({ definition }) => (definition === undefined ? [] : [definition]))
  if (definitions.length < tools.length) return
  const [first] = tools as [Known, ...Known[]]
  const where = tools.length === 1 ? `${first.server}/${first.tool}` : `all ${tools.length} tools it matches`
  for (const { path, field, types } of asked(place)) {
    const steps = parsePath(path) ?? []
    const possible = definitions.map((definition) => typesAt(definition, steps, budget))
    if (possible.some((each) => each === undefined)) continue
    const kinds = new Set(possible.flatMap((each) => [...(each ?? [])]))
    if ([...kinds].some((kind) => types.has(kind))) continue
    const detail =
      kinds.size === 0
        ? `always errors: by its input schema, ${where} cannot be given ${shown(path)}`
        : `always errors: by its input schema, ${shown(path)} of ${where} is ${nameOf(kinds)}, never ${nameOf(types)}`
    found.at(field, path, 'PolicyInvalid', detail, `${argumentsOf(definitions)} Mend it, or add optional: true.`)
  }
}

/** Every path of a call's arguments that a rule asks for, with the types it can be asked of. */
function asked({ constraints, field, tool }: Place): { path: string; field: string; types: ReadonlySet<ValueType> }[] {
  const { limits = [], evidence = [], object } = tool ?? {}
  return [
    ...constraints.list.flatMap((constraint, index) => {
      const { arg } = constraint
      if (arg === undefined || !needsIt(constraint)) return []
      return [{ path: arg, field: `${constraints.field}[${index}]`, types: typesOf(constraint) }]
    }),
    ...limits.flatMap(({ sum, distinct }, index) => {
      if (sum !== undefined) return [{ path: sum, field: `${field}.limits[${index}].sum`, types: NUMBER }]
      return distinct === undefined
        ? []
        : [{ path: distinct, field: `${field}.limits[${index}].distinct`, types: SCALAR }]
    }),
    ...evidence.flatMap(({ same = {} }, index) =>
      Object.keys(same).map((path) => ({ path, field: `${field}.evidence[${index}].same`, types: SCALAR })),
    ),
    ...Object.entries(object?.with ?? {}).map(([name, path]) => ({
      path,
      field: `${field}.object.with.${name}`,
      types: SCALAR,
    })),
  ]
}
const NUMBER: ReadonlySet<ValueType> = new Set<ValueType>(['number', 'decimal'])
const SCALAR: ReadonlySet<ValueType> = new Set<ValueType>(['text', 'decimal', 'number', 'boolean'])

/** Whether a constraint says nothing, or only no, of an argument that is not given. */
const needsIt = ({ optional, absent, not }: Constraint): boolean =>
  optional !== true && absent !== true && not?.required !== true && not?.absent !== true

function reached(match: Match, field: string, known: KnownByServer, found: Problems): Known[] | undefined {
  const tools = fitting(match, known)
  if (tools === undefined || tools.length > 0) return tools
  never(match, field, match.servers ?? [], known, found)
  return tools
}

function named(text: string, field: string, known: KnownByServer, found: Problems): void {
  const server = text.slice(0, text.indexOf('/'))
  const fits = matchTool(text)
  const tools = known.get(server)
  if (tools === undefined || tools.some((each) => fits(each.server, each.tool))) return
  never(text, field, [server], known, found)
}

function never(value: unknown, field: string, servers: string[], known: KnownByServer, found: Problems): void {
  const names = servers.flatMap((server) => known.get(server) ?? []).map(({ tool }) => tool)
  const fix = `Name one of ${listOf(names)}, or pin the tool that is meant.`
  found.at(field, value, 'PolicyInvalid', `can never match a tool of ${servers.join(', ')}`, fix)
}

const listOf = (names: string[]): string => `${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}`

function argumentsOf(definitions: ToolDefinition[]): string {
  const names = definitions.flatMap(({ inputSchema }) =>
    isObject(inputSchema) && isObject(inputSchema.properties) ? Object.keys(inputSchema.properties) : [],
  )
  const list = listOf([...new Set(names)].map(shown))
  return list === '' ? 'It takes no arguments.' : `It takes ${list}.`
}

const nameOf = (types: ReadonlySet<ValueType>): string =>
  [...types]
    .filter((type) => type !== 'decimal' || !types.has('text'))
    .map((type) => TYPE_NAMES[type])
    .join(' or ')

import type { PolicySpec, PromptRule, RequestRule, ResourceRule } from '../api/gen/types.ts'
import type { IntentBody, OtherCallRecord } from '../api/receipt.ts'
import { glob } from './glob.ts'
import { REQUESTS } from './other-call.ts'
import { constraintsFor } from './suggest-constraints.ts'

/** URIs of one server up to which a suggestion lists them. */
const FEW = 5
/** As the kind's schema allows. */
const MAX_URIS = 32
const MAX_RULES = 64
const MAX_GLOB = 512

/**
 * Rules that allow the resources that were read, the prompts that were got and what servers were let ask. Resources of a
 * server are listed one by one, or by the folders they lie in.
 *
 * @param unique makes the name of a rule out of what it is about
 */
export function suggestOthers(
  intents: IntentBody[],
  unique: (wanted: string) => string,
): Pick<PolicySpec, 'resources' | 'prompts' | 'requests'> {
  const made = (type: OtherCallRecord['type']): OtherCallRecord[] =>
    intents.flatMap(({ call, decision }) =>
      call.type === type && decision.effect === 'Allow' ? [call as OtherCallRecord] : [],
    )
  const resources = grouped(made('resource'), ({ server }) => server).map(
    (calls): ResourceRule => ({
      name: unique(`read-resources-${calls[0].server}`),
      match: { servers: [calls[0].server], uris: patternsOf(calls.map(({ name }) => name)) },
      effect: 'Allow',
    }),
  )
  const prompts = grouped(made('prompt'), ({ server, name }) => `${server}\n${name}`).map((calls): PromptRule => {
    const [{ server, name }] = calls
    const rule: PromptRule = {
      name: unique(`prompt-${name}`),
      match: { servers: [server], prompts: [name] },
      effect: 'Allow',
    }
    const where = constraintsFor(calls.map((call) => ({ ...call, about: { server, tool: name } })))
    return where.length === 0 ? rule : { ...rule, where }
  })
  const asked = made('request').filter(({ name }) => (REQUESTS as readonly string[]).includes(name))
  const requests = grouped(asked, ({ server, name }) => `${server}\n${name}`).map(requestRule(unique))
  return {
    ...(resources.length === 0 ? {} : { resources: resources.slice(0, MAX_RULES) }),
    ...(prompts.length === 0 ? {} : { prompts: prompts.slice(0, MAX_RULES) }),
    ...(requests.length === 0 ? {} : { requests: requests.slice(0, MAX_RULES / 2) }),
  }
}

/** What a server asked for, by how much of it: what texts it wrote says nothing about the next ones. */
const requestRule =
  (unique: (wanted: string) => string) =>
  (calls: Group): RequestRule => {
    const [{ server, name }] = calls
    const method = name as (typeof REQUESTS)[number]
    const rule: RequestRule = {
      name: unique(`${server}-${name.slice(0, name.indexOf('/'))}`),
      match: { servers: [server], methods: [method] },
      effect: 'Allow',
    }
    const about = { server, tool: name }
    const where = constraintsFor(calls.map((call) => ({ arguments: boundsOf(call), about })))
    return where.length === 0 ? rule : { ...rule, where }
  }

function boundsOf({ name, arguments: params }: OtherCallRecord): unknown {
  if (params === undefined) return undefined
  const { mode, maxTokens } = params as { mode?: unknown; maxTokens?: unknown }
  if (name === 'elicitation/create') return { mode: mode ?? 'form' }
  return maxTokens === undefined ? {} : { maxTokens }
}

type Group = [OtherCallRecord, ...OtherCallRecord[]]

function grouped(calls: OtherCallRecord[], key: (call: OtherCallRecord) => string): Group[] {
  const groups = new Map<string, Group>()
  for (const call of calls) {
    const group = groups.get(key(call))
    if (group === undefined) groups.set(key(call), [call])
    else group.push(call)
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}

/** Patterns that fit all of the URIs: themselves while they are few, else the folders they lie in, else the places. */
function patternsOf(all: string[]): string[] {
  const uris = [...new Set(all)].sort()
  const inFolder = (uri: string): string => `${uri.slice(0, uri.lastIndexOf('/') + 1)}*`
  const inPlace = (uri: string): string => `${/^[^:]*:(?:\/\/[^/]*\/)?/.exec(uri)?.[0] ?? ''}*`
  const candidates: ((uri: string) => string)[] = [
    ...(uris.length <= FEW ? [(uri: string) => uri] : []),
    inFolder,
    inPlace,
  ]
  for (const candidate of candidates) {
    const patterns = [...new Set(uris.map(candidate))].filter(
      (pattern, _, patterns) => !patterns.some((wider) => wider !== pattern && glob(wider)(pattern)),
    )
    if (patterns.length <= MAX_URIS && patterns.every((each) => each.length <= MAX_GLOB && each !== '*'))
      return patterns
  }
  return ['*']
}

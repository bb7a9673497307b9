import type { DecisionRecord } from '../api/receipt.ts'
import { isToolName } from './glob.ts'
import type { History } from './history/history.ts'
import { type OtherCall, REQUESTS } from './other-call.ts'
import type { PreparedRemit } from './prepare.ts'
import type { PreparedOther } from './prepare-other.ts'
import type { PreparedRule } from './prepare-rule.ts'
import { shown } from './quote.ts'
import { refuse } from './standing.ts'
import type { Json } from './strict.ts'
import { uriProblem } from './uri.ts'
import type { Question } from './verdict.ts'

/** Why it cannot be decided by rules at all. */
export function unfit({ servers }: PreparedRemit, { type, server, name }: OtherCall): DecisionRecord | undefined {
  if (!servers.has(server)) return refuse('UnknownServer', { server: shown(server) })
  if (type === 'resource') {
    const detail = uriProblem(name)
    return detail === undefined ? undefined : refuse('UriNotPlain', { uri: shown(name), detail })
  }
  if (type === 'prompt')
    return isToolName(name)
      ? undefined
      : refuse('MalformedRequest', { detail: 'the name of the prompt has characters outside A-Z a-z 0-9 _ . / -' })
  return (REQUESTS as readonly string[]).includes(name) ? undefined : refuse('UnknownMethod', { method: shown(name) })
}

/** Rules about it, in the order in which the first of equals is named. */
export const rulesAbout = (
  { others, rules }: PreparedRemit,
  { type, server, name }: OtherCall,
): (PreparedOther | PreparedRule)[] => [
  ...others.filter((rule) => rule.type === type && rule.match.names(server, name)),
  ...rules.filter(
    (rule) =>
      rule.effect === undefined &&
      // Nobody can be asked about what a server asks.
      (type !== 'request' || rule.type === 'invariant') &&
      rule.match.everythingOf(server),
  ),
]

/** As a sentence names it. */
export function whatOf({ type, server, name }: OtherCall): string {
  if (type === 'resource') return `the resource ${shown(name)} of ${server}`
  return type === 'prompt' ? `the prompt ${name} of ${server}` : `${name} of ${server}`
}

/** What rules are asked about it. */
export const questionOf = (call: OtherCall, what: string, history: History, steady: number): Question => ({
  server: call.server,
  tool: call.name,
  what,
  arguments: argumentsOf(call),
  objects: undefined,
  history,
  steady,
  annotated: undefined,
  classes: { byRules: undefined, cls: undefined },
  resolved: new Map(),
})

/** What constraints look at: of a resource nothing but the URI; an elicitation that does not say its mode is a form. */
function argumentsOf({ type, name, arguments: args }: OtherCall): Json {
  if (type === 'resource') return { uri: name }
  if (name !== 'elicitation/create' || typeof args !== 'object' || args === null || Array.isArray(args)) return args
  return Object.hasOwn(args, 'mode') ? args : { ...args, mode: 'form' }
}

import { questionOf, rulesAbout, unfit } from './ask-other.ts'
import type { Truth } from './constraint.ts'
import { covers, meet } from './glob-set.ts'
import { newHistory } from './history/history.ts'
import type { OtherCall } from './other-call.ts'
import type { PreparedRemit } from './prepare.ts'
import type { PreparedOther } from './prepare-other.ts'
import type { PreparedRule } from './prepare-rule.ts'
import { examine, strongest } from './verdict.ts'

type Type = OtherCall['type']

/**
 * Whether some read, get or request of this name could be allowed or wait: what is not, is not listed or offered. Of a
 * resource that is decided by its URI alone; of a prompt or a request its arguments are not known yet.
 *
 * @param template whether `name` is the beginning of a resource template, up to its first "{"
 */
export function offered(prepared: PreparedRemit, type: Type, server: string, name: string, template?: true): boolean {
  if (isShut(prepared, server)) return false
  if (type === 'resource' && template) return offersSome(prepared, type, server, `${name}*`)
  const call: OtherCall = { type, server, name, arguments: {} }
  if (unfit(prepared, call) !== undefined) return false
  return type === 'resource' ? isReadable(prepared, call) : offersSome(prepared, type, server, name)
}

/**
 * Whether anything of this kind could be allowed for the server: what is not, is no capability to either side.
 *
 * @param method of a request
 * @param mode of an elicitation, form or url; else any
 */
export const offersAny = (
  prepared: PreparedRemit,
  type: Type,
  server: string,
  method?: string,
  mode?: string,
): boolean => !isShut(prepared, server) && offersSome(prepared, type, server, method ?? '*', mode)

const isShut = ({ remit, servers }: PreparedRemit, server: string): boolean =>
  remit.suspended === true || !servers.has(server)

/** A taint only holds back, so an agent that has read nothing yet is asked about. */
function isReadable(prepared: PreparedRemit, call: OtherCall): boolean {
  const asked = questionOf(call, call.name, { ...newHistory(prepared), loaded: true }, 0)
  const rules = rulesAbout(prepared, call).filter(({ mode, after }) => mode === 'Enforce' && after === undefined)
  const byDefault = prepared.remit.observing === true ? 'Allow' : 'Deny'
  const found = strongest(
    rules.flatMap((rule) => examine(rule, asked) ?? []),
    byDefault,
  )
  return found === undefined ? byDefault === 'Allow' : found.strength === 'allow' || found.strength === 'ask'
}

/** Whether something that `pattern` fits is given and not always denied. */
function offersSome(prepared: PreparedRemit, type: Type, server: string, pattern: string, mode?: string): boolean {
  const barred = prepared.rules.some(
    (rule) => rule.mode === 'Enforce' && rule.type === 'invariant' && isAlways(rule) && rule.match.everythingOf(server),
  )
  if (barred) return false
  const rules = prepared.others.filter(
    (rule) => rule.mode === 'Enforce' && rule.type === type && rule.match.ofServer(server),
  )
  const denied = rules.filter((rule) => rule.effect === 'Deny' && deniesAll(rule, mode)).flatMap(({ names }) => names)
  if (covers(denied, pattern)) return false
  if (prepared.remit.observing === true) return true
  return rules.some(
    (rule) =>
      rule.effect !== 'Deny' &&
      (mode === undefined || ofMode(rule, mode).every((is) => is === 'true')) &&
      rule.names.some((name) => meet(name, pattern) && !covers(denied, name)),
  )
}

const isAlways = ({ constraints }: PreparedRule): boolean => constraints.length === 0

/** What the rule's constraints about the mode say of this one. */
const ofMode = ({ modes }: PreparedOther, mode: string): Truth['is'][] =>
  modes.map((evaluate) => evaluate({ mode }, { server: '', tool: '' }).is)

/** Whether a Deny rule denies whatever its match fits, in this mode. */
const deniesAll = (rule: PreparedOther, mode: string | undefined): boolean =>
  isAlways(rule) ||
  (mode !== undefined &&
    rule.modes.length === rule.constraints.length &&
    ofMode(rule, mode).every((is) => is !== 'false'))

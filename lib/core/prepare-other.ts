import type { OtherRule } from '../api/remit.ts'
import { compileConstraint, type Evaluate } from './constraint.ts'
import { glob } from './glob.ts'
import type { Matcher } from './match.ts'
import { isWithheld, type PreparedRule, type RuleContext } from './prepare-rule.ts'

/** A rule about resources, prompts or requests, ready to be asked. */
export interface PreparedOther extends PreparedRule {
  type: OtherRule['type']
  match: Matcher & { ofServer: (server: string) => boolean }
  effect: 'Allow' | 'Ask' | 'Deny'
  /** Of a rule about requests: what must hold for the agent's answer. */
  answer: Evaluate[]
  /** Of a rule about requests: those constraints that are about `mode`. */
  modes: Evaluate[]
  /** Names that it matches, as patterns. */
  names: string[]
}

/** The patterns of a rule's match; a rule that names none is about all. */
export const namesOf = (rule: OtherRule): string[] =>
  (rule.type === 'resource' ? rule.match.uris : rule.type === 'prompt' ? rule.match.prompts : rule.match.methods) ?? [
    '*',
  ]

export function prepareOther(rule: OtherRule, { hidden }: RuleContext): PreparedOther {
  const { policy, mode, name, type, effect, where = [] } = rule
  const servers = rule.match.servers?.map(glob)
  const names = namesOf(rule)
  const fits = names.map(glob)
  const ofServer = (server: string): boolean => servers === undefined || servers.some((matches) => matches(server))
  const quantifier = effect === 'Deny' ? 'some' : 'every'
  const constraints = where.map((each) => ({
    arg: each.arg,
    evaluate: compileConstraint(each, quantifier, isWithheld(each.arg, hidden.arguments)),
  }))
  return {
    policy,
    mode,
    name,
    type,
    effect,
    names,
    match: {
      ofServer,
      names: (server, what) => ofServer(server) && fits.some((matches) => matches(what)),
      everythingOf: () => false,
    },
    constraints: constraints.map(({ evaluate }) => evaluate),
    answer: (rule.type === 'request' ? (rule.answer ?? []) : []).map((each) => compileConstraint(each, 'every', true)),
    modes: constraints.filter(({ arg }) => arg === 'mode').map(({ evaluate }) => evaluate),
    limits: [],
    evidence: [],
    trackers: [],
  }
}

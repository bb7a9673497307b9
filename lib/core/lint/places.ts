import type { Constraint, Match, PolicySpec, ToolRule } from '../../api/gen/types.ts'
import { OTHER_LISTS, type OtherList } from '../check/other-rule.ts'

/** A rule of any list of a policy with the field it stands in. */
export interface Place {
  field: string
  name: string
  /** Of rules about other things than tools, their URIs, prompts or methods stand for `tools`. */
  match: Match
  /** Under `where` or `unless`. */
  constraints: { field: string; list: Constraint[] }
  /** Of a rule under `tools`. */
  tool?: ToolRule
  kind: 'tool' | 'guard' | 'invariant' | 'taint' | OtherList
  /** What a rule does that may give, as it is written. */
  effect?: 'Allow' | 'Draft' | 'Ask' | 'Deny'
  /** Of a rule about requests. */
  answer?: { field: string; list: Constraint[] }
}

/** All rules of a checked policy, in its order. */
export function placesOf(spec: PolicySpec): Place[] {
  const { tools = [], guards = [], invariants = [], taint = [] } = spec
  const restricting = (kind: 'guard' | 'invariant' | 'taint', list: string, rules: typeof guards) =>
    rules.map(({ name, match, unless = [] }, index): Place => {
      const field = `spec.${list}[${index}]`
      return { field, name, match, kind, constraints: { field: `${field}.unless`, list: unless } }
    })
  return [
    ...tools.map((tool, index): Place => {
      const field = `spec.tools[${index}]`
      const constraints = { field: `${field}.where`, list: tool.where ?? [] }
      const { name, match, effect } = tool
      return { field, name, match, kind: 'tool', tool, constraints, ...(effect === undefined ? {} : { effect }) }
    }),
    ...restricting('guard', 'guards', guards),
    ...restricting('invariant', 'invariants', invariants),
    ...restricting('taint', 'taint', taint),
    ...OTHER_LISTS.flatMap((kind) => othersOf(spec, kind)),
  ]
}

function othersOf(spec: PolicySpec, kind: OtherList): Place[] {
  return (spec[kind] ?? []).map((rule, index): Place => {
    const { name, effect, where = [] } = rule
    const { servers, ...names } = rule.match
    const [about] = Object.values(names as Record<string, string[] | undefined>)
    const field = `spec.${kind}[${index}]`
    const answer = 'answer' in rule ? rule.answer : undefined
    return {
      field,
      name,
      kind,
      effect,
      match: { ...(servers === undefined ? {} : { servers }), ...(about === undefined ? {} : { tools: about }) },
      constraints: { field: `${field}.where`, list: where },
      ...(answer === undefined ? {} : { answer: { field: `${field}.answer`, list: answer } }),
    }
  })
}

/** Whether a rule is about calls of tools. */
export const isAboutTools = ({ kind }: Pick<Place, 'kind'>): boolean => !(OTHER_LISTS as string[]).includes(kind)

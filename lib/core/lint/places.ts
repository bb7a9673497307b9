import type { Constraint, Match, PolicySpec, ToolRule } from '../../api/gen/types.ts'

/** A rule of any list of a policy with the field it stands in. */
export interface Place {
  field: string
  name: string
  match: Match
  /** Under `where` or `unless`. */
  constraints: { field: string; list: Constraint[] }
  /** Of a rule under `tools`. */
  tool?: ToolRule
  kind: 'tool' | 'guard' | 'invariant' | 'taint'
}

/** All rules of a checked policy, in its order. */
export function placesOf({ tools = [], guards = [], invariants = [], taint = [] }: PolicySpec): Place[] {
  const restricting = (kind: 'guard' | 'invariant' | 'taint', list: string, rules: typeof guards) =>
    rules.map(({ name, match, unless = [] }, index): Place => {
      const field = `spec.${list}[${index}]`
      return { field, name, match, kind, constraints: { field: `${field}.unless`, list: unless } }
    })
  return [
    ...tools.map((tool, index): Place => {
      const field = `spec.tools[${index}]`
      const constraints = { field: `${field}.where`, list: tool.where ?? [] }
      return { field, name: tool.name, match: tool.match, kind: 'tool', tool, constraints }
    }),
    ...restricting('guard', 'guards', guards),
    ...restricting('invariant', 'invariants', invariants),
    ...restricting('taint', 'taint', taint),
  ]
}

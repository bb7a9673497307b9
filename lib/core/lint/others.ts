import type { Constraint, PolicySpec, RequestRule } from '../../api/gen/types.ts'
import { meet } from '../glob-set.ts'
import { type Problem, problems } from '../problem.ts'
import { shown } from '../quote.ts'
import { fitsNothing, reachOfGlob } from '../uri-glob.ts'
import { isAboutTools, placesOf } from './places.ts'
import type { Warning } from './warning.ts'

/** Patterns of URIs that no resource can have which is decided on at all. */
export function uselessOthers({ resources = [] }: PolicySpec): Problem[] {
  const found = problems()
  for (const [index, { match }] of resources.entries()) {
    for (const [at, pattern] of (match.uris ?? []).entries()) {
      const why = fitsNothing(pattern)
      if (why === undefined) continue
      const fix = 'Write the URI as resources/list gives it, whole and in its normal form: "file:///handbook/*".'
      found.at(`spec.resources[${index}].match.uris[${at}]`, pattern, 'PolicyInvalid', `can never match: ${why}`, fix)
    }
  }
  return found.list
}

/** Rules about resources and requests that let more pass than they seem to, and rules about tools that deny reads. */
export const looseOthers = (spec: PolicySpec): Warning[] => {
  const { resources = [], requests = [] } = spec
  return [
    ...resources.flatMap(({ match, effect }, index) =>
      effect === 'Deny'
        ? []
        : (match.uris ?? []).flatMap((pattern, at) =>
            farReaching(pattern, `spec.resources[${index}].match.uris[${at}]`),
          ),
    ),
    ...requests.flatMap((rule, index) => (rule.effect === 'Deny' ? [] : unbounded(rule, `spec.requests[${index}]`))),
    ...denyingReads(spec),
  ]
}

/** Restrictions that are about resources because they name servers alone, and ask for what no resource is given. */
function denyingReads(spec: PolicySpec): Warning[] {
  const given = (spec.resources ?? []).filter(({ effect }) => effect !== 'Deny')
  return placesOf(spec).flatMap(({ name, match, field, constraints, effect, kind }): Warning[] => {
    if (effect !== undefined || !isAboutTools({ kind }) || match.tools !== undefined || match.classes !== undefined)
      return []
    const asked = constraints.list.find(({ arg, optional, absent, not }) => {
      const needless = optional === true || absent === true || not?.required === true || not?.absent === true
      return arg !== undefined && arg !== 'uri' && !needless
    })
    const concerned = given.find((rule) => commonServers(rule.match.servers, match.servers))
    if (asked === undefined || concerned === undefined) return []
    const detail = `${name} names servers alone, so it is about their resources too, which are given no ${shown(asked.arg ?? '')}: it denies what ${concerned.name} gives`
    return [{ kind: 'DeniesReads', field: `${field}.match`, detail, fix: 'Add tools: ["*"], if only tools are meant.' }]
  })
}

const commonServers = (a: string[] | undefined, b: string[] | undefined): boolean =>
  a === undefined || b === undefined || a.some((one) => b.some((other) => meet(one, other)))

function farReaching(pattern: string, field: string): Warning[] {
  const reach = reachOfGlob(pattern)
  if (reach === 'any scheme') {
    const detail = `${shown(pattern)} names no scheme, so it fits URIs of every kind and host`
    return [{ kind: 'AnyScheme', field, detail, fix: 'Begin it with scheme and place, such as "file:///handbook/*".' }]
  }
  if (reach !== 'any host') return []
  const host = pattern.slice(0, pattern.indexOf('*'))
  const detail = `the * stands in the host, so ${shown(`${host}.evil.example/`)} fits too`
  return [{ kind: 'AnyHost', field, detail, fix: `Write ${shown(`${host}/*`)}.` }]
}

function unbounded({ name, match, where = [] }: RequestRule, field: string): Warning[] {
  const about = (method: 'elicitation/create' | 'sampling/createMessage'): boolean =>
    match.methods === undefined || match.methods.includes(method)
  const found: Warning[] = []
  if (about('elicitation/create') && !where.some((each) => speaksOf(each, 'mode'))) {
    const detail = `${name} lets the server send the agent's user to any URL, since it does not say which mode`
    const fix =
      'Add {arg: mode, in: [form]}, or {arg: mode, in: [url]} with {arg: url, prefix: "https://corp.example/", optional: true}.'
    found.push({ kind: 'AnyMode', field, detail, fix })
  }
  if (about('sampling/createMessage') && !where.some((each) => speaksOf(each, 'maxTokens'))) {
    const detail = `${name} lets the server have as much of the agent's model as it asks for`
    found.push({ kind: 'NoMaxTokens', field, detail, fix: 'Add {arg: maxTokens, max: "1000"}, or what fits.' })
  }
  return found
}

/** Whether a constraint holds an argument to something; what an expression says of it is not looked into. */
const speaksOf = ({ arg, cel, not, required, optional }: Constraint, wanted: string): boolean =>
  (arg === wanted && required !== true && optional !== true) || (cel ?? not?.cel)?.includes(`args.${wanted}`) === true

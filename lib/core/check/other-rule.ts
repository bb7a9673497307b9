import type { Constraint, PromptRule, RequestRule, ResourceRule } from '../../api/gen/types.ts'
import { checkConstraints } from '../constraint-check.ts'
import { globProblem } from '../glob.ts'
import { REQUESTS } from '../other-call.ts'
import type { Problems } from '../problem.ts'
import { uriGlobProblem } from '../uri-glob.ts'
import { isShape, REMOVE, unknownKeys } from './shape.ts'

/** What is different between the lists of rules about other things than calls of tools. */
interface List {
  /** The key of `match` that names what it is about. */
  key: 'uris' | 'prompts' | 'methods'
  example: string
  effects: readonly string[]
  /** What is wrong with one name, and what to write. */
  problem: (name: string) => string | undefined
  fix: string
}
const FROM_AGENT = ['Allow', 'Ask', 'Deny'] as const

const LISTS = {
  resources: {
    key: 'uris',
    example: '{servers: [docs], uris: ["file:///handbook/*"]}',
    effects: FROM_AGENT,
    problem: uriGlobProblem,
    fix: 'Write a URI as resources/list gives it; * stands for any characters.',
  },
  prompts: {
    key: 'prompts',
    example: '{servers: [docs], prompts: ["summ*"]}',
    effects: FROM_AGENT,
    problem: globProblem,
    fix: 'Write a name; * stands for any characters.',
  },
  requests: {
    key: 'methods',
    example: '{servers: [shop], methods: [elicitation/create]}',
    effects: ['Allow', 'Deny'],
    problem: (name) => ((REQUESTS as readonly string[]).includes(name) ? undefined : 'is nothing a server may ask for'),
    fix: `Write ${REQUESTS.join(', ')}.`,
  },
} as const satisfies Record<string, List>

export type OtherList = keyof typeof LISTS
export const OTHER_LISTS = Object.keys(LISTS) as OtherList[]

/** A rule of one of these lists. */
export function checkOtherRule(
  rule: ResourceRule | PromptRule | RequestRule,
  kind: OtherList,
  field: string,
  scope: 'Namespace' | 'Cluster',
  found: Problems,
): void {
  const list: List = LISTS[kind]
  unknownKeys(rule, KEYS[kind], field, found)
  checkMatch(rule.match, list, `${field}.match`, found)
  checkEffect(rule.effect, list, `${field}.effect`, scope, found)
  if (rule.where !== undefined) {
    checkConstraints(rule.where, `${field}.where`, found)
    if (kind === 'resources') checkOnlyUri(rule.where, `${field}.where`, found)
  }
  if (!('answer' in rule) || rule.answer === undefined) return
  if (rule.effect === 'Deny')
    found.at(`${field}.answer`, rule.answer, 'PolicyInvalid', 'belongs to a rule that allows', REMOVE)
  else checkConstraints(rule.answer, `${field}.answer`, found)
}

/** A constraint on anything else would err whatever is read. */
function checkOnlyUri(where: Constraint[], field: string, found: Problems): void {
  if (!Array.isArray(where)) return
  for (const [index, constraint] of where.entries()) {
    const arg = constraint?.arg
    if (arg === undefined || arg === 'uri') continue
    const fix = 'Write arg: uri.'
    found.at(`${field}[${index}].arg`, arg, 'PolicyInvalid', 'is nothing that reading a resource is given', fix)
  }
}

const PLAIN_KEYS = new Set(['name', 'match', 'effect', 'where'])
const KEYS: Record<OtherList, Set<string>> = {
  resources: PLAIN_KEYS,
  prompts: PLAIN_KEYS,
  requests: new Set([...PLAIN_KEYS, 'answer']),
}

function checkMatch(match: unknown, { key, example, problem, fix }: List, field: string, found: Problems): void {
  if (!isShape((match ?? {}) as object, field, example, found)) return
  const lists = (match ?? {}) as Record<string, unknown>
  unknownKeys(lists, new Set(['servers', key]), field, found)
  if (lists.servers === undefined && lists[key] === undefined) {
    found.at(field, match, 'PolicyInvalid', `names neither servers nor ${key}`, `Write ${example}, for example.`)
    return
  }
  for (const name of ['servers', key]) {
    const names = lists[name]
    if (names === undefined) continue
    const at = `${field}.${name}`
    if (!Array.isArray(names) || names.length === 0) {
      found.at(at, names, 'PolicyInvalid', 'lists nothing', `Leave ${name} out to match all, or list them.`)
      continue
    }
    for (const [index, one] of names.entries()) {
      const about = name === 'servers' ? globProblem : problem
      const wrong = typeof one === 'string' ? about(one) : 'is not a text'
      const how = name === 'servers' ? 'Write a name; * stands for any characters.' : fix
      if (wrong !== undefined) found.at(`${at}[${index}]`, one, 'PolicyInvalid', wrong, how)
    }
  }
}

function checkEffect(effect: unknown, { effects }: List, field: string, scope: string, found: Problems): void {
  if (scope === 'Cluster' && effect !== 'Deny') {
    const detail = 'cannot be given by a ClusterAgentPolicy, which only restricts'
    found.at(field, effect, 'PolicyInvalid', detail, 'Write effect: Deny; give in an AgentPolicy.')
  } else if (effect === undefined) {
    found.at(field, effect, 'PolicyInvalid', 'is missing', `Write ${effects.join(' or ')}.`)
  } else if (effect === 'Ask' && !effects.includes('Ask')) {
    const detail = 'is not for requests: who is on call cannot answer for the agent'
    found.at(field, effect, 'PolicyInvalid', detail, 'Write Allow or Deny.')
  } else if (!effects.includes(effect as string)) {
    found.at(field, effect, 'PolicyInvalid', 'is not an effect', `Write ${effects.join(' or ')}.`)
  }
}

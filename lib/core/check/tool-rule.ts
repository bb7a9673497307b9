import type { ObjectRule, ToolRule } from '../../api/gen/types.ts'
import { CLASSES } from '../class.ts'
import { checkConstraints } from '../constraint-check.ts'
import type { Problems } from '../problem.ts'
import { checkEvidence, checkLimits } from './limits.ts'
import { checkMatch, checkServerTool } from './match.ts'
import { checkPath, checkPaths, checkWord, isShape, REMOVE, unknownKeys } from './shape.ts'

const KEYS = new Set([
  'name',
  'match',
  'class',
  'effect',
  'where',
  'fields',
  'object',
  'otherwise',
  'limits',
  'evidence',
])
const OBJECT_KEYS = new Set(['read', 'with', 'where'])
const ONLY_GIVING = ['otherwise', 'fields', 'object', 'limits', 'evidence'] as const
const CAN_FAIL = ['where', 'fields', 'object', 'limits', 'evidence'] as const

export function checkToolRule(rule: ToolRule, field: string, scope: 'Namespace' | 'Cluster', found: Problems): void {
  unknownKeys(rule, KEYS, field, found)
  checkMatch(rule.match, `${field}.match`, found)
  if (rule.class !== undefined) checkWord(rule.class, CLASSES, 'a class', `${field}.class`, found)
  checkEffect(rule, `${field}.effect`, scope, found)
  if (rule.where !== undefined) checkConstraints(rule.where, `${field}.where`, found)
  if (rule.effect === 'Deny') {
    for (const key of ONLY_GIVING) {
      if (rule[key] === undefined) continue
      found.at(`${field}.${key}`, rule[key], 'PolicyInvalid', 'belongs to a rule that gives', REMOVE)
    }
    return
  }
  if (rule.fields !== undefined) checkPaths(rule.fields, `${field}.fields`, found)
  if (rule.object !== undefined) checkObject(rule.object, `${field}.object`, found)
  if (rule.limits !== undefined) checkLimits(rule.limits, `${field}.limits`, found)
  if (rule.evidence !== undefined) checkEvidence(rule.evidence, `${field}.evidence`, found)
  if (rule.otherwise !== undefined) checkOtherwise(rule, `${field}.otherwise`, found)
}

function checkEffect({ effect, class: cls }: ToolRule, field: string, scope: string, found: Problems): void {
  if (scope === 'Cluster' && effect !== 'Deny') {
    const detail =
      effect === undefined
        ? 'is missing, and what a class gives cannot be given by a ClusterAgentPolicy, which only restricts'
        : 'cannot be given by a ClusterAgentPolicy, which only restricts'
    const fix = 'Write effect: Deny, or use guards or invariants; give in an AgentPolicy.'
    found.at(field, effect, 'PolicyInvalid', detail, fix)
  } else if (effect !== undefined) {
    checkWord(effect, ['Allow', 'Draft', 'Ask', 'Deny'], 'an effect', field, found)
  } else if (cls === undefined) {
    const fix = 'Write Allow, Draft, Ask or Deny; or give a class, whose default it then has.'
    found.at(field, effect, 'PolicyInvalid', 'is missing', fix)
  }
}

function checkOtherwise(rule: ToolRule, field: string, found: Problems): void {
  const what = 'an effect a rule can fall back to'
  if (!checkWord(rule.otherwise, ['Ask', 'Draft', 'Deny'], what, field, found)) return
  // A side effect that is allowed has the limits of its class, which can be reached.
  const limited = rule.class === 'SideEffect' && rule.effect === 'Allow'
  if (limited || CAN_FAIL.some((key) => rule[key] !== undefined)) return
  const detail = 'is never reached: nothing of the rule can fail'
  const fix = 'Add where, fields, object, limits or evidence, or remove it.'
  found.at(field, rule.otherwise, 'PolicyInvalid', detail, fix)
}

function checkObject(object: ObjectRule, field: string, found: Problems): void {
  if (!isShape(object, field, '{read: tickets/get_ticket, with: {id: ticket_id}}', found)) return
  unknownKeys(object, OBJECT_KEYS, field, found)
  checkServerTool(object.read, false, `${field}.read`, found)
  if (object.with !== undefined && isShape(object.with, `${field}.with`, '{id: ticket_id}', found)) {
    for (const [name, path] of Object.entries(object.with)) checkPath(path, `${field}.with.${name}`, found, true)
  }
  if (object.where !== undefined) checkConstraints(object.where, `${field}.where`, found)
}

import type { Evidence, Limit } from '../../api/gen/types.ts'
import { bound, isDecimalText } from '../decimal.ts'
import type { Problems } from '../problem.ts'
import { checkServerTool } from './match.ts'
import { checkCount, checkDuration, checkPath, checkWord, elements, isShape, REMOVE, unknownKeys } from './shape.ts'

const LIMIT_KEYS = new Set(['per', 'calls', 'sum', 'max', 'distinct', 'concurrent', 'scope'])
const KINDS = ['calls', 'sum', 'distinct', 'concurrent'] as const
const SCOPES = ['Rule', 'Tool', 'Policy', 'Agent']
const EVIDENCE_KEYS = new Set(['tool', 'within', 'same'])

export function checkLimits(limits: Limit[], field: string, found: Problems): void {
  for (const [index, limit] of elements(limits, field, found)) {
    const at = `${field}[${index}]`
    if (isShape(limit, at, '{per: 24h, calls: 20}', found)) checkLimit(limit, at, found)
  }
}

function checkLimit(limit: Limit, field: string, found: Problems): void {
  unknownKeys(limit, LIMIT_KEYS, field, found)
  const { per, max, calls, concurrent, scope } = limit
  const kinds = KINDS.filter((kind) => limit[kind] !== undefined)
  const [kind] = kinds
  if (kind === undefined || kinds.length > 1) {
    const detail = kind === undefined ? 'limits nothing' : `limits several things (${kinds.join(', ')})`
    const fix = 'Write exactly one of calls, sum, distinct and concurrent; a list may have several limits.'
    found.at(field, limit, 'PolicyInvalid', detail, fix)
    return
  }
  if (calls !== undefined) checkCount(calls, 0, `${field}.calls`, found)
  if (concurrent !== undefined) checkCount(concurrent, 1, `${field}.concurrent`, found)
  const path = limit.sum ?? limit.distinct
  if (path !== undefined) checkPath(path, `${field}.${kind}`, found)
  if (scope !== undefined) checkWord(scope, SCOPES, 'a scope', `${field}.scope`, found)
  checkPer(per, kind, `${field}.per`, found)
  checkMax(max, kind, `${field}.max`, found)
}

function checkPer(per: string | undefined, kind: string, field: string, found: Problems): void {
  if (kind === 'concurrent') {
    if (per !== undefined) found.at(field, per, 'PolicyInvalid', 'has no meaning beside concurrent', REMOVE)
  } else if (per === undefined) {
    found.at(field, per, 'PolicyInvalid', 'is missing', `Say in what time ${kind} is limited, such as per: 24h.`)
  } else checkDuration(per, field, found)
}

function checkMax(max: string | undefined, kind: string, field: string, found: Problems): void {
  const amounts = kind === 'sum' || kind === 'distinct'
  if (max === undefined) {
    if (amounts) found.at(field, max, 'PolicyInvalid', 'is missing', `Say how much ${kind} may come to: max: "500.00".`)
  } else if (!amounts) {
    found.at(field, max, 'PolicyInvalid', 'belongs to sum and distinct', REMOVE)
  } else if (typeof max !== 'string' || !isDecimalText(max)) {
    const fix = 'Write digits with at most one dot, in quotes: "500.00".'
    found.at(field, max, 'PolicyInvalid', 'is not a plain decimal in quotes', fix)
  } else if (bound(max).lt(0)) {
    found.at(field, max, 'PolicyInvalid', 'is below zero, so no call can pass', 'Write "0" or more.')
  } else if (kind === 'distinct' && max.includes('.')) {
    found.at(field, max, 'PolicyInvalid', 'is not a whole number', 'Write how many different values may occur: "3".')
  }
}

export function checkEvidence(evidence: Evidence[], field: string, found: Problems): void {
  for (const [index, each] of elements(evidence, field, found)) {
    const at = `${field}[${index}]`
    if (!isShape(each, at, '{tool: billing/get_invoice, within: 10m}', found)) continue
    unknownKeys(each, EVIDENCE_KEYS, at, found)
    checkServerTool(each.tool, true, `${at}.tool`, found)
    if (each.within !== undefined) checkDuration(each.within, `${at}.within`, found)
    if (each.same === undefined || !isShape(each.same, `${at}.same`, '{invoice_id: invoice_id}', found)) continue
    for (const [mine, earlier] of Object.entries(each.same)) {
      checkPath(mine, `${at}.same`, found)
      checkPath(earlier, `${at}.same.${mine}`, found)
    }
  }
}

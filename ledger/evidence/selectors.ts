import type { SQLInputValue } from 'node:sqlite'
import { LABEL_AGENT, LABEL_AGENT_ID } from '../../lib/api/names.ts'
import type { Filter } from '../store/index.ts'
import { badRequest } from './status.ts'

/** Labels of a receipt and the columns they stand for. */
const LABELS = new Map([
  [LABEL_AGENT, 'agent'],
  [LABEL_AGENT_ID, 'agent_id'],
])
/** Fields people may select by and the columns they stand for. */
const FIELDS: Record<string, string> = {
  'metadata.name': 'name',
  'metadata.namespace': 'namespace',
  'envelope.kind': 'kind',
  'envelope.agent': 'agent_id',
  'envelope.incarnation': 'incarnation',
  'envelope.seq': 'seq',
  'body.kind': 'kind',
  'body.intent': 'intent',
  'body.call.type': 'type',
  'body.call.server': 'server',
  'body.call.tool': 'tool',
  'body.call.method': 'method',
  'body.call.name': 'target',
  'body.decision.effect': 'effect',
  'body.decision.rule': 'rule',
  'body.decision.policy': 'policy',
  // Of a result what it says, of an intent what came of it.
  outcome: 'outcome',
}
const KEY = '[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?'
const VALUE = '[A-Za-z0-9._-]*'
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(\\s*(${VALUE}(\\s*,\\s*${VALUE})*)\\s*\\)$`)
const EQUALITY = new RegExp(`^(${KEY})\\s*(=|==|!=)\\s*(${VALUE})$`)
const EXISTS = new RegExp(`^(!?)\\s*(${KEY})$`)
const MAX_SELECTOR = 4_096
const MAX_TERMS = 64

export const ALL: Filter = { sql: '1', values: [] }
export const both = (...filters: Filter[]): Filter => ({
  sql: filters.map(({ sql }) => `(${sql})`).join(' AND '),
  values: filters.flatMap(({ values }) => values),
})
export const equals = (column: string, value: SQLInputValue): Filter => ({ sql: `${column} = ?`, values: [value] })

/** A column an object may not have is null there, which `!=` and `notin` hold for. */
const differs = (column: string, values: string[]): Filter => ({
  sql: `${column} IS NULL OR ${column} NOT IN (${values.map(() => '?')})`,
  values,
})
const among = (column: string, values: string[]): Filter => ({ sql: `${column} IN (${values.map(() => '?')})`, values })
const NONE: Filter = { sql: '0', values: [] }

/** Commas outside of parentheses. */
const split = (selector: string): string[] =>
  selector
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '')

const labelTerm = (term: string): Filter => {
  const set = SET.exec(term)
  if (set) {
    const column = LABELS.get(set[1] as string)
    const values = (set[4] as string).split(',').map((v) => v.trim())
    if (set[3] === 'in') return column ? among(column, values) : NONE
    return column ? differs(column, values) : ALL
  }
  const equality = EQUALITY.exec(term)
  if (equality) {
    const column = LABELS.get(equality[1] as string)
    const value = equality[4] as string
    if (equality[3] === '!=') return column ? differs(column, [value]) : ALL
    return column ? equals(column, value) : NONE
  }
  const exists = EXISTS.exec(term)
  if (!exists) throw badRequest(`unable to parse requirement: ${JSON.stringify(term)}`)
  const has = LABELS.has(exists[2] as string)
  return has === (exists[1] === '') ? ALL : NONE
}

const bounded = (selector: string, what: string): string => {
  const tooMuch = selector.length > MAX_SELECTOR || selector.split(',').length > MAX_TERMS
  if (tooMuch) throw badRequest(`${what} has more than ${MAX_TERMS} terms or ${MAX_SELECTOR} characters`)
  return selector
}

/** A labelSelector as people write it: equality, in, notin, exists. @throws QueryError 400 */
export const labelSelector = (selector: string): Filter =>
  both(ALL, ...split(bounded(selector, 'labelSelector')).map(labelTerm))

const unescaped = (value: string) => value.replace(/\\([\\,=])/g, '$1')

/** A fieldSelector over the fields receipts can be selected by; also which fields it names. @throws QueryError 400 */
export const fieldSelector = (selector: string): Filter & { fields: string[] } => {
  const fields: string[] = []
  const terms = bounded(selector, 'fieldSelector')
    .split(/(?<!\\),/)
    .filter((term) => term.trim() !== '')
    .map((term): Filter => {
      const match = /^\s*([^=!\s]+?)\s*(!=|==|=)\s*(.*?)\s*$/s.exec(term)
      if (!match) throw badRequest(`invalid selector: ${JSON.stringify(term)}; can't understand it`)
      const field = match[1] as string
      const column = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined
      if (!column) throw badRequest(`field label not supported: ${field}; supported: ${Object.keys(FIELDS).join(', ')}`)
      fields.push(field)
      const value = unescaped(match[3] as string)
      return match[2] === '!=' ? differs(column, [value]) : equals(column, value)
    })
  return { ...both(ALL, ...terms), fields }
}

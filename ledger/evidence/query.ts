import { rfc3339 } from '../../lib/core/rfc3339.ts'
import type { Filter } from '../store/index.ts'
import { ALL, both, equals, fieldSelector, labelSelector } from './selectors.ts'
import { badRequest } from './status.ts'

export interface ReceiptQuery {
  filter: Filter
  /** The user asked for kinds or a name: nothing is left out of a table then. */
  exact: boolean
  limit?: number
  /** Where the page before ended. */
  page?: Page
  desc: boolean
  watch: boolean
  bookmarks: boolean
  /** Position to watch from. */
  from: number
  timeoutSeconds?: number
  includeObject: 'None' | 'Metadata' | 'Object'
}
/** What remains of a listing: positions in (after, until], of a snapshot at `head`. */
export interface Page {
  after: number
  until: number
  head: number
}

const whole = (params: URLSearchParams, name: string): number | undefined => {
  const text = params.get(name)
  if (text === null || text === '') return undefined
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(`${name} must be a whole number, not ${JSON.stringify(text.slice(0, 40))}`)
  return Number(text)
}
const flag = (params: URLSearchParams, name: string): boolean => ['true', '1'].includes(params.get(name) ?? '')

const oneOf = <T extends string>(params: URLSearchParams, name: string, allowed: readonly [T, ...T[]]): T => {
  const text = params.get(name)
  if (text === null || text === '') return allowed[0]
  if (!(allowed as readonly string[]).includes(text)) throw badRequest(`${name} must be one of ${allowed.join(', ')}`)
  return text as T
}

const instant = (params: URLSearchParams, name: string): number | undefined => {
  const text = params.get(name)
  if (text === null || text === '') return undefined
  const at = rfc3339(text)
  if (at === undefined) throw badRequest(`${name} must be an RFC 3339 time such as 2026-10-05T02:00:00Z`)
  return at
}

/** An opaque continue token. */
export const encodePage = ({ after, until, head }: Page): string =>
  Buffer.from(JSON.stringify([after, until, head])).toString('base64url')

const decodePage = (token: string): Page => {
  try {
    const numbers: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (Array.isArray(numbers) && numbers.length === 3 && numbers.every((n) => Number.isSafeInteger(n) && n >= 0)) {
      const [after, until, head] = numbers as [number, number, number]
      return { after, until, head }
    }
  } catch {}
  throw badRequest('continue is not a token this server gave')
}

/** Reads what a GET on receipts asks for. @throws QueryError 400 that names the parameter */
export const parseQuery = (params: URLSearchParams, namespace: string | undefined): ReceiptQuery => {
  const fields = fieldSelector(params.get('fieldSelector') ?? '')
  const since = instant(params, 'since')
  const until = instant(params, 'until')
  const token = params.get('continue')
  const limit = whole(params, 'limit')
  return {
    filter: both(
      namespace === undefined ? ALL : equals('namespace', namespace),
      labelSelector(params.get('labelSelector') ?? ''),
      fields,
      since === undefined ? ALL : { sql: 'time >= ?', values: [since] },
      until === undefined ? ALL : { sql: 'time < ?', values: [until] },
    ),
    exact: fields.fields.some((f) => ['metadata.name', 'body.kind', 'envelope.kind', 'body.intent'].includes(f)),
    limit: limit === 0 ? undefined : limit,
    page: token ? decodePage(token) : undefined,
    desc: oneOf(params, 'order', ['asc', 'desc']) === 'desc',
    watch: flag(params, 'watch'),
    bookmarks: flag(params, 'allowWatchBookmarks'),
    from: whole(params, 'resourceVersion') ?? 0,
    timeoutSeconds: whole(params, 'timeoutSeconds'),
    includeObject: oneOf(params, 'includeObject', ['Metadata', 'Object', 'None']),
  }
}

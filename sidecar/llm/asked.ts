import type { IncomingHttpHeaders } from 'node:http'
import { clip } from '../receipts.ts'

/** Of path and query together: both are in the receipt whole, for nothing may leave unrecorded. */
const MAX_PATH = 2_000

/** The URL below the model's own, or undefined when the path would leave it or does not fit a receipt. */
export const urlBelow = (base: string, rest: string, query: string): URL | undefined => {
  if (rest.length + query.length > MAX_PATH) return undefined
  if (/\\|%2e|%2f|%5c|[^\x21-\x7e]/i.test(rest) || rest.split('/').some((part) => part === '..' || part === '.'))
    return undefined
  const url = new URL(base)
  const root = url.pathname.replace(/\/$/, '')
  url.pathname = root + rest
  url.search = query
  return url.pathname.startsWith(root) ? url : undefined
}

/** What a request says of itself, for the record. */
export interface Asked {
  model?: string
  stream?: true
}

export const askedOf = (body: Buffer, headers: IncomingHttpHeaders): Asked => {
  if (!headers['content-type']?.startsWith('application/json')) return {}
  try {
    const { model, stream } = JSON.parse(body.toString('utf8')) as { model?: unknown; stream?: unknown }
    return {
      ...(typeof model === 'string' ? { model: clip(model, 200) } : {}),
      ...(stream === true ? { stream } : {}),
    }
  } catch {
    return {}
  }
}

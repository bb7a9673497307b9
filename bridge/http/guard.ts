import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'

export interface GuardOptions {
  /** Host names, without ports, that requests may be addressed to; any when there are none. */
  hosts: string[]
  /** Values of `Origin` that pass; a request without one passes, as no browser sends those across sites. */
  origins: string[]
  /** File with the only bearer token that passes; read at each request, so that it may be exchanged. */
  tokenFile?: string | undefined
}

/** Why a request does not pass. */
export interface Refusal {
  status: number
  message: string
  headers?: Record<string, string>
}

const digest = (text: string) => createHash('sha256').update(text).digest()

const hostName = (host: string): string => {
  const url = `http://${host}`
  return URL.canParse(url) ? new URL(url).hostname : ''
}

const tokenRefusal = (file: string, given: string | undefined): Refusal | undefined => {
  let expected: string
  try {
    expected = readFileSync(file, 'utf8').trim()
  } catch {
    expected = ''
  }
  if (!expected) return { status: 503, message: 'The token file of the bridge cannot be read or is empty.' }
  const token = /^Bearer +(\S+)$/i.exec(given ?? '')?.[1]
  if (token !== undefined && timingSafeEqual(digest(token), digest(expected))) return undefined
  return {
    status: 401,
    message: 'The Authorization header has to carry the bearer token of this bridge.',
    headers: { 'www-authenticate': 'Bearer' },
  }
}

/** Keeps out what a browser was made to send, and whoever does not have the token. */
export const createGuard = (options: GuardOptions) => {
  const hosts = options.hosts.map((host) => host.toLowerCase())
  return (request: IncomingMessage): Refusal | undefined => {
    const { origin, host = '' } = request.headers
    if (origin !== undefined && !options.origins.includes(origin))
      return { status: 403, message: 'Requests with this Origin are not taken.' }
    if (hosts.length > 0 && !hosts.includes(hostName(host)))
      return { status: 403, message: 'Requests to this Host are not taken.' }
    return options.tokenFile === undefined ? undefined : tokenRefusal(options.tokenFile, request.headers.authorization)
  }
}

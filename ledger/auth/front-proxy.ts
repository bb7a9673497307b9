import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { UserError } from '../../lib/core/errors.ts'
import type { RequestHeader } from './request-header.ts'

/** A person (or account) as the API server authenticated them. */
export interface Person {
  username: string
  uid?: string
  groups: string[]
  extra: Record<string, string[]>
}

const unauthenticated = (detail: string) => new UserError('Unauthenticated', { detail })

/**
 * Whom the API server's proxy speaks for. Its headers count only on a connection whose client certificate the
 * requestheader authority signed, under one of the allowed names.
 * @throws UserError Unauthenticated
 */
export const personOf = (request: IncomingMessage, settings: RequestHeader): Person => {
  const socket = request.socket as TLSSocket
  if (!socket.authorized) throw unauthenticated('only the API server is answered here')
  const { subject } = socket.getPeerCertificate()
  if (settings.allowedNames.length && !settings.allowedNames.includes(String(subject?.CN))) {
    throw unauthenticated('this proxy is not one of the allowed ones')
  }
  const values = (names: string[]) => names.flatMap((name) => request.headersDistinct[name.toLowerCase()] ?? [])
  const [username] = values(settings.usernameHeaders)
  if (!username) throw unauthenticated('the proxy names nobody')
  return {
    username,
    uid: values(settings.uidHeaders)[0],
    groups: values(settings.groupHeaders),
    extra: extraOf(request, settings.extraPrefixes),
  }
}

const extraOf = (request: IncomingMessage, prefixes: string[]): Record<string, string[]> =>
  Object.fromEntries(
    prefixes
      .map((prefix) => prefix.toLowerCase())
      .flatMap((prefix) =>
        Object.entries(request.headersDistinct)
          .filter(([header]) => header.startsWith(prefix))
          .map(([header, values]) => [decode(header.slice(prefix.length)), values ?? []]),
      ),
  )

const decode = (key: string): string => {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

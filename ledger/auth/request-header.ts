import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../../lib/kube/client.ts'
import { readIfThere, replaceFile } from '../../lib/service/files.ts'
import type { Logger } from '../../lib/service/log.ts'

/** How the API server's front proxy shows itself and whom it speaks for. Source: kube-system/extension-apiserver-authentication. */
export interface RequestHeader {
  /** PEM */
  ca: string
  /** Common names the proxy may have; empty: any the CA signed. */
  allowedNames: string[]
  usernameHeaders: string[]
  uidHeaders: string[]
  groupHeaders: string[]
  extraPrefixes: string[]
}

const PATH = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'

/** @throws Error when the API server was started without a front proxy, which an aggregated API cannot do without. */
export const parseRequestHeader = (data: Record<string, string> = {}): RequestHeader => {
  const ca = data['requestheader-client-ca-file']
  if (!ca) throw new Error('the API server names no requestheader-client-ca-file')
  const list = (key: string): string[] => JSON.parse(data[key] ?? '[]') as string[]
  return {
    ca,
    allowedNames: list('requestheader-allowed-names'),
    usernameHeaders: list('requestheader-username-headers'),
    uidHeaders: list('requestheader-uid-headers'),
    groupHeaders: list('requestheader-group-headers'),
    extraPrefixes: list('requestheader-extra-headers-prefix'),
  }
}

/**
 * Follows that ConfigMap. Its authority is kept as a file, which the server's TLS reads; the first value, from the
 * API server or from an earlier start, is waited for, because without it nobody could be told from the proxy.
 */
export const followRequestHeader = async (options: {
  client: Client
  file: string
  caFile: string
  signal: AbortSignal
  log: Logger
  everyMs?: number
}): Promise<() => RequestHeader> => {
  const { client, file, caFile, signal, log, everyMs = 60_000 } = options
  let current: RequestHeader | undefined

  const load = async () => {
    const { data } = await client.request<{ data?: Record<string, string> }>('GET', PATH, { signal, timeoutMs: 5_000 })
    const next = parseRequestHeader(data)
    if (JSON.stringify(next) === JSON.stringify(current)) return
    replaceFile(file, JSON.stringify(next))
    replaceFile(caFile, next.ca)
    current = next
  }
  const tryLoad = () => load().catch((error) => log.warn({ err: error }, 'front proxy settings not read'))
  const follow = async () => {
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
      if (!signal.aborted) await tryLoad()
    }
  }

  await tryLoad()
  const kept = readIfThere(file)
  if (!current && kept) {
    current = JSON.parse(kept) as RequestHeader
    replaceFile(caFile, current.ca)
  }
  while (!current) {
    await sleep(1_000, undefined, { signal })
    await tryLoad()
  }
  void follow()
  return () => current as RequestHeader
}

import { createHash } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { UserError } from '../../lib/core/errors.ts'
import type { Client } from '../../lib/kube/client.ts'
import { ApiError, ConnectionError } from '../../lib/kube/errors.ts'
import type { Logger } from '../../lib/service/log.ts'
import { remembered } from '../../lib/service/remembered.ts'
import type { TokenCaller } from './caller.ts'
import type { Issuer } from './issuer.ts'

export type Authenticate = (authorization: string | undefined) => Promise<TokenCaller>

interface Review {
  status?: {
    authenticated?: boolean
    user?: { username?: string; extra?: Record<string, string[]> }
    audiences?: string[]
  }
}
type Verdict = 'accepted' | 'refused' | 'away'

const FRESH_MS: Record<Verdict, number> = { accepted: 60_000, refused: 5_000, away: 5_000 }
const MAX_CACHED = 10_000

interface KubernetesClaims {
  namespace?: unknown
  serviceaccount?: { name?: unknown }
  pod?: { name?: unknown; uid?: unknown }
}
const unauthenticated = (detail: string) => new UserError('Unauthenticated', { detail })

const callerOf = (claims: JWTPayload): TokenCaller => {
  const { namespace, serviceaccount, pod } = (claims['kubernetes.io'] ?? {}) as KubernetesClaims
  const name = serviceaccount?.name
  if (typeof namespace !== 'string' || typeof name !== 'string')
    throw unauthenticated('the token is not of a ServiceAccount')
  const username = `system:serviceaccount:${namespace}:${name}`
  if (claims.sub !== username) throw unauthenticated('the token contradicts itself')
  return {
    username,
    namespace,
    serviceAccount: name,
    pod: typeof pod?.name === 'string' && typeof pod.uid === 'string' ? { name: pod.name, uid: pod.uid } : undefined,
    expiresAt: (claims.exp as number) * 1000,
  }
}

/**
 * Authenticates a ServiceAccount token of one audience: its signature by the cluster's published keys, always, and a
 * TokenReview, which also knows that a pod or account is gone, as long as the API server answers. Verdicts are kept
 * for a minute by the token's hash; an API server that does not answer is asked again after five seconds.
 */
export const bearerAuthentication = (options: {
  client: Client
  issuer: Issuer
  audience: string
  now: () => number
  log: Logger
}): Authenticate => {
  const { client, issuer, audience, now, log } = options
  let awayUntil = 0
  const msOf = (verdict: Verdict) => (verdict === 'away' ? awayUntil - now() : FRESH_MS[verdict])
  const verdicts = remembered<Verdict>({ ms: msOf, most: MAX_CACHED, now })

  const ask = async (token: string, caller: TokenCaller): Promise<Verdict> => {
    try {
      const { status } = await client.request<Review>('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [audience] } },
        timeoutMs: 3_000,
      })
      const podUID = status?.user?.extra?.['authentication.kubernetes.io/pod-uid']?.[0]
      const agrees =
        status?.authenticated === true &&
        status.user?.username === caller.username &&
        status.audiences?.includes(audience) === true &&
        podUID === caller.pod?.uid
      return agrees ? 'accepted' : 'refused'
    } catch (error) {
      const away =
        error instanceof ConnectionError || (error instanceof ApiError && (error.code >= 500 || error.code === 429))
      if (!away) throw error
      awayUntil = now() + FRESH_MS.away
      log.warn({ err: error }, 'API server away, tokens are checked by its keys alone')
      return 'away'
    }
  }
  const review = (token: string, caller: TokenCaller): Promise<Verdict> => {
    const key = createHash('sha256').update(token).digest('base64')
    return verdicts(key, async () => (now() < awayUntil ? 'away' : ask(token, caller)))
  }

  return async (authorization) => {
    const token = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? '')?.[1]
    if (!token) throw unauthenticated('a bearer token is needed')
    const caller = callerOf(await issuer.verify(token))
    if ((await review(token, caller)) === 'refused')
      throw unauthenticated('the API server does not accept the token any more')
    return caller
  }
}

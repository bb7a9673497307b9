import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import { UserError } from '../../lib/core/errors.ts'
import type { Client } from '../../lib/kube/client.ts'
import { readIfThere, replaceFile } from '../../lib/service/files.ts'
import type { Logger } from '../../lib/service/log.ts'

interface Published {
  issuer: string
  jwks: JSONWebKeySet
}
export interface Issuer {
  /** Claims of a token the cluster signed for this audience. @throws UserError Unauthenticated */
  verify(token: string): Promise<JWTPayload>
  /** Whether any keys are known. */
  ready(): boolean
  refresh(): Promise<void>
  /** Whether it is time to ask again: never answered, or five minutes ago. */
  stale(): boolean
}

const ALGORITHMS = ['RS256', 'ES256', 'ES384', 'ES512']
const MIN_REFRESH_MS = 5_000
const STALE_MS = 300_000
const MAX_TOKEN = 16 * 1024

/**
 * The cluster's own token keys, kept on disk so that a ledger started while the API server is away still knows them.
 * A token with a key it does not know makes it ask once more, at most every five seconds.
 */
export const clusterIssuer = (options: {
  client: Client
  file: string
  audience: string
  now: () => number
  log: Logger
}): Issuer => {
  const { client, file, audience, now, log } = options
  let published: (Published & { keys: ReturnType<typeof createLocalJWKSet> }) | undefined
  let refreshing: Promise<void> | undefined
  let answeredAt = Number.NEGATIVE_INFINITY
  let askedAt = Number.NEGATIVE_INFINITY

  const use = (next: Published) => {
    published = { ...next, keys: createLocalJWKSet(next.jwks) }
  }
  const kept = readIfThere(file)
  if (kept) use(JSON.parse(kept) as Published)

  const ask = async () => {
    askedAt = now()
    const { issuer } = await client.request<{ issuer: string }>('GET', '/.well-known/openid-configuration', {
      timeoutMs: 5_000,
    })
    const jwks = await client.request<JSONWebKeySet>('GET', '/openid/v1/jwks', {
      headers: { accept: 'application/jwk-set+json' },
      timeoutMs: 5_000,
    })
    answeredAt = now()
    const text = JSON.stringify({ issuer, jwks })
    use({ issuer, jwks })
    if (text !== readIfThere(file)) replaceFile(file, text)
  }
  const refresh = () => {
    refreshing ??= ask().finally(() => {
      refreshing = undefined
    })
    return refreshing
  }
  const check = async (token: string) => {
    if (!published) throw new errors.JWKSNoMatchingKey('no keys are known yet')
    const { payload } = await jwtVerify(token, published.keys, {
      algorithms: ALGORITHMS,
      audience,
      issuer: published.issuer,
      currentDate: new Date(now()),
      clockTolerance: 5,
      requiredClaims: ['exp', 'iss', 'aud', 'sub'],
    })
    return payload
  }
  const checkWithFreshKeys = async (token: string) => {
    try {
      return await check(token)
    } catch (error) {
      const mayHelp = error instanceof errors.JWKSNoMatchingKey && (refreshing || now() - askedAt >= MIN_REFRESH_MS)
      if (!mayHelp) throw error
      await refresh().catch((cause) => log.warn({ err: cause }, 'token keys not refreshed'))
      return check(token)
    }
  }
  return {
    ready: () => published !== undefined,
    refresh,
    stale: () => now() - answeredAt >= STALE_MS,
    verify: async (token) => {
      if (token.length > MAX_TOKEN) throw new UserError('Unauthenticated', { detail: 'the token is too long' })
      try {
        return await checkWithFreshKeys(token)
      } catch (error) {
        if (error instanceof errors.JOSEError) throw new UserError('Unauthenticated', { detail: reasonOf(error) })
        throw error
      }
    },
  }
}

const reasonOf = (error: errors.JOSEError): string => {
  if (error instanceof errors.JWTExpired) return 'the token has expired'
  if (error instanceof errors.JWTClaimValidationFailed) return `the token's ${error.claim} is not the one expected`
  if (error instanceof errors.JWKSNoMatchingKey) return 'the token is signed with a key this cluster does not publish'
  return 'the token is not one of this cluster'
}

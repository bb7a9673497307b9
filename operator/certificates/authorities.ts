import type { Secret } from '../../lib/kube/resources.ts'
import { newAuthority, type Pair, readCertificate, splitBundle } from './issue.ts'
import { overlap } from './overlap.ts'

type Data = Record<string, string>
interface Authority {
  cert: string
  /** Absent once it no longer issues. */
  key?: string
  createdAt: number
}

export interface Authorities {
  issuer: Pair
  /** All that are trusted now, PEM: those before, the issuer, and the next. */
  bundle: string
  /** What the Secret should hold, base64. */
  data: Data
  nextAt: number
}

const decode = (data: Data | undefined, key: string) => Buffer.from(data?.[key] ?? '', 'base64').toString()
const encode = (data: Data): Data =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))

/** `tls.*` issues, `next.*` is known and will, `ca.crt` has every certificate that is trusted. */
const read = (data: Data | undefined, now: number): Authority[] => {
  const keys = new Map<string, string>()
  for (const name of ['tls', 'next']) {
    const cert = decode(data, `${name}.crt`)
    const key = decode(data, `${name}.key`)
    if (cert && key) keys.set(cert.trim(), key)
  }
  const certs = new Set([...splitBundle(decode(data, 'ca.crt')).map((pem) => pem.trim()), ...keys.keys()])
  return [...certs].flatMap((cert) => {
    const parsed = readCertificate(cert)
    if (!parsed || Date.parse(parsed.validTo) <= now) return []
    return [{ cert: `${cert}\n`, key: keys.get(cert), createdAt: Date.parse(parsed.validFrom) }]
  })
}

/** In the form `read` gives, so that what was just written is not written again. */
const made = async (now: number, lifeMs: number): Promise<Authority> => {
  const { cert, key } = await newAuthority(now, lifeMs)
  return { cert: `${cert.trim()}\n`, key, createdAt: now }
}

/** What the CA's Secret should hold now, from what it holds. Makes an authority when one is due. */
export const nextAuthorities = async (
  secret: Secret | undefined,
  now: number,
  lifeMs: number,
): Promise<Authorities> => {
  const held = read(secret?.data, now)
  const able = held.filter(({ key }) => key)
  const fresh = overlap(able, now, lifeMs).due ? [await made(now, lifeMs)] : []
  const { active, nextAt } = overlap([...able, ...fresh], now, lifeMs)
  const all = [...held, ...fresh].sort((a, b) => a.createdAt - b.createdAt)
  const newest = all.at(-1)!
  const issuer = { cert: active!.cert, key: active!.key! }
  const bundle = all.map(({ cert }) => cert).join('')
  const next: Data =
    newest.cert === issuer.cert || !newest.key ? {} : { 'next.crt': newest.cert, 'next.key': newest.key }
  const data = encode({ 'tls.crt': issuer.cert, 'tls.key': issuer.key, 'ca.crt': bundle, ...next })
  return { issuer, bundle, data, nextAt }
}

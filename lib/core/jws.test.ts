import { generateKeyPairSync, sign } from 'node:crypto'
import { exportJWK, flattenedVerify, importJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import type { SignedRemit } from '../api/remit.ts'
import { canonical, sha256hex } from './canonical.ts'
import { type Anchor, remitDigest, signRemit, verifyRemit } from './jws.ts'
import { remitOf } from './testing/remit.ts'

const remit = remitOf([{ tools: [{ name: 'all', match: { tools: ['*'] }, effect: 'Allow' }] }])
const keyPair = (kid: string) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { kid, privateKey, anchor: { ...publicKey.export({ format: 'jwk' }), kid } as Anchor }
}
const key = keyPair('k1')
const expected = { cluster: 'cluster-a', agentId: 'uid-agent' }
const signed = signRemit(remit, key)
const [header = '', , signature = ''] = signed.signature.split('.')
const headerWith = (change: object): string => {
  const fields = { ...JSON.parse(Buffer.from(header, 'base64url').toString()), ...change }
  return Buffer.from(JSON.stringify(fields)).toString('base64url')
}
const refusal = (change: Partial<SignedRemit>, anchors = [key.anchor], expect_ = expected): string => {
  try {
    verifyRemit({ ...signed, ...change }, anchors, expect_)
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`
  }
  return 'accepted'
}

test('what was signed verifies, also after a trip through JSON with its keys in another order', () => {
  const travelled: SignedRemit = JSON.parse(JSON.stringify(signed))
  travelled.remit = Object.fromEntries(Object.entries(travelled.remit).reverse()) as typeof remit
  expect(verifyRemit(travelled, [keyPair('k0').anchor, key.anchor], expected)).toEqual(remit)
})

test('it is a detached JWS that another library verifies', async () => {
  const payload = Buffer.from(canonical(remit)).toString('base64url')
  const publicKey = await importJWK(key.anchor, 'EdDSA')
  const verified = await flattenedVerify({ protected: header, payload, signature }, publicKey)
  expect(verified.protectedHeader).toEqual({ alg: 'EdDSA', kid: 'k1', typ: 'remit+jws', cluster: 'cluster-a' })
})

test('a private JWK, as it lies in a Secret, signs the same', async () => {
  const jwk = await exportJWK(key.privateKey)
  expect(signRemit(remit, { kid: 'k1', privateKey: jwk }).signature).toBe(signed.signature)
})

test('the digest is that of the canonical form', () => {
  expect(remitDigest(remit)).toBe(sha256hex(canonical(remit)))
})

describe('everything else is refused', () => {
  const invalid = (detail: string) => `RemitInvalid: The remit was refused: ${detail}.`
  test.each<[string, () => string, string]>([
    ['a changed remit', () => refusal({ remit: { ...remit, rules: [] } }), 'its signature does not verify'],
    ['a lower generation', () => refusal({ remit: { ...remit, generation: 0 } }), 'its signature does not verify'],
    [
      'another cluster',
      () => refusal({}, [key.anchor], { ...expected, cluster: 'cluster-b' }),
      'it is for another cluster',
    ],
    [
      'another agent',
      () => refusal({}, [key.anchor], { ...expected, agentId: 'uid-other' }),
      'it is for another agent',
    ],
    ['no anchors', () => refusal({}, []), 'no anchor knows the key it is signed with'],
    ['an unknown kid', () => refusal({}, [keyPair('k2').anchor]), 'no anchor knows the key it is signed with'],
    ['another key under the same kid', () => refusal({}, [keyPair('k1').anchor]), 'its signature does not verify'],
    [
      'an anchor of another curve',
      () => refusal({}, [{ ...key.anchor, crv: 'X25519' }]),
      'no anchor knows the key it is signed with',
    ],
    [
      'alg none',
      () => refusal({ signature: `${headerWith({ alg: 'none' })}..` }),
      'its signature is not a detached JWS',
    ],
    [
      'alg none with a signature',
      () => refusal({ signature: `${headerWith({ alg: 'none' })}..${signature}` }),
      'it is signed in another way than EdDSA',
    ],
    [
      'alg HS256',
      () => refusal({ signature: `${headerWith({ alg: 'HS256' })}..${signature}` }),
      'it is signed in another way than EdDSA',
    ],
    [
      'a changed header',
      () => refusal({ signature: `${headerWith({ cluster: 'cluster-b' })}..${signature}` }),
      'its signature does not verify',
    ],
    [
      'a header with jwk',
      () => refusal({ signature: `${headerWith({ jwk: key.anchor })}..${signature}` }),
      'its signature has no readable header',
    ],
    [
      'a header with crit',
      () => refusal({ signature: `${headerWith({ crit: 'b64' })}..${signature}` }),
      'its header has other fields',
    ],
    [
      'a header that is no JSON',
      () => refusal({ signature: `AAAA..${signature}` }),
      'its signature has no readable header',
    ],
    [
      'an attached payload',
      () => refusal({ signature: `${header}.e30.${signature}` }),
      'its signature is not a detached JWS',
    ],
    [
      'a short signature',
      () => refusal({ signature: `${header}..${signature.slice(1)}` }),
      'its signature is not a detached JWS',
    ],
    ['no signature', () => refusal({ signature: undefined }), 'it is not a remit with its signature'],
    ['no remit', () => refusal({ remit: undefined }), 'it is not a remit with its signature'],
    ['a list', () => refusal({ remit: [] as unknown as typeof remit }), 'its signature does not verify'],
  ])('%s', (_, attempt, detail) => {
    expect(attempt()).toBe(invalid(detail))
  })
  test('a remit signed for another version, cluster or agent', () => {
    const resigned = (change: object) => signRemit({ ...remit, ...change }, key)
    expect(refusal(resigned({ version: 2 }))).toBe(invalid('it is of another version'))
    expect(refusal(resigned({ cluster: 'cluster-b' }))).toBe(invalid('it is for another cluster'))
    expect(refusal(resigned({ agent: { ...remit.agent, id: 'x' } }))).toBe(invalid('it is for another agent'))
  })
  test('a header that names another cluster than the remit does', () => {
    const elsewhere = { ...remit, cluster: 'cluster-b' }
    const bytes = Buffer.from(`${header}.${Buffer.from(canonical(elsewhere)).toString('base64url')}`)
    const forged = {
      remit: elsewhere,
      signature: `${header}..${sign(null, bytes, key.privateKey).toString('base64url')}`,
    }
    expect(refusal(forged)).toBe(invalid('it is for another cluster'))
  })
  test('keys other than Ed25519 do not sign', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    expect(() => signRemit(remit, { kid: 'k', privateKey })).toThrow('Ed25519')
  })
})

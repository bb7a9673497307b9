import 'reflect-metadata'
import { generateKeyPairSync, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

export interface Pair {
  /** PEM. */
  cert: string
  /** PEM, PKCS #8. */
  key: string
}

export interface Authority extends Pair {
  /** A certificate for servers and clients. `names` are DNS names or IP addresses, `groups` become organizations. */
  issue(commonName: string, options?: { groups?: string[]; names?: string[] }): Promise<Pair>
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const validity = () => ({ notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 86_400_000) })

const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

/** The two halves the API server signs and checks ServiceAccount tokens with, PEM. */
export const newSigningKeys = (): { publicKey: string; privateKey: string } =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })

const keyPem = async (key: webcrypto.CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')

/** A certificate authority for one test cluster, good for a day. */
export const createAuthority = async (name: string): Promise<Authority> => {
  const keys = await newKeys()
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${name}`,
    ...validity(),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  })
  let serial = 1
  return {
    cert: root.toString('pem'),
    key: await keyPem(keys.privateKey),
    issue: async (commonName, { groups = [], names = [] } = {}) => {
      const own = await newKeys()
      const alternatives = names.map((value) => ({
        type: /^[\d.]+$|:/.test(value) ? ('ip' as const) : ('dns' as const),
        value,
      }))
      serial++
      const cert = await x509.X509CertificateGenerator.create({
        serialNumber: serial.toString(16).padStart(4, '0'),
        // As JSON, because names such as system:masters need no quoting there.
        subject: [{ CN: [commonName] }, ...groups.map((group) => ({ O: [group] }))],
        issuer: root.subject,
        ...validity(),
        signingAlgorithm: algorithm,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
          ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
        ],
      })
      return { cert: cert.toString('pem'), key: await keyPem(own.privateKey) }
    },
  }
}

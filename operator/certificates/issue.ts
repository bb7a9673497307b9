import 'reflect-metadata'
import { randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** PEM; the key is PKCS #8. */
export interface Pair {
  cert: string
  key: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

const keyPem = async (key: webcrypto.CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')

const importKey = (pem: string) => {
  const [der] = x509.PemConverter.decode(pem)
  return webcrypto.subtle.importKey('pkcs8', der!, algorithm, false, ['sign'])
}

/** A positive serial number of 127 bits. */
const serial = () => {
  const bytes = randomBytes(16)
  bytes[0] = bytes[0]! & 0x7f
  return bytes.toString('hex')
}

/** X.509 counts whole seconds. */
const seconds = (ms: number) => new Date(Math.floor(ms / 1000) * 1000)

/** A new authority: ECDSA P-256, may sign leaves only. Its name is its own, so that chains through two are never mixed up. */
export const newAuthority = async (now: number, lifeMs: number): Promise<Pair> => {
  const keys = await newKeys()
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=remit-ca-${randomBytes(4).toString('hex')}`,
    notBefore: seconds(now),
    notAfter: seconds(now + lifeMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert: cert.toString('pem'), key: await keyPem(keys.privateKey) }
}

/** A serving certificate for DNS names and IP addresses; it does not outlive its authority. */
export const newLeaf = async (authority: Pair, names: string[], now: number, lifeMs: number): Promise<Pair> => {
  const keys = await newKeys()
  const issuer = new x509.X509Certificate(authority.cert)
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [names[0] ?? ''] }],
    issuer: issuer.subject,
    notBefore: seconds(now),
    notAfter: new Date(Math.min(seconds(now + lifeMs).getTime(), issuer.notAfter.getTime())),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIp(value) ? 'ip' : 'dns', value }))),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return { cert: cert.toString('pem'), key: await keyPem(keys.privateKey) }
}

const isIp = (name: string) => /^[\d.]+$/.test(name) || name.includes(':')

/** Reads a certificate; undefined for what is none. */
export const readCertificate = (pem: string): X509Certificate | undefined => {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/** The certificates of a bundle, one PEM each. */
export const splitBundle = (bundle: string): string[] =>
  bundle.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g)?.map((pem) => `${pem}\n`) ?? []

/** Whether a leaf still serves: of this authority, for exactly these names, and younger than two thirds of its life. */
export const isCurrent = (leaf: Pair | undefined, authority: Pair, names: string[], now: number): boolean => {
  const cert = leaf && readCertificate(leaf.cert)
  const issuer = readCertificate(authority.cert)
  if (!cert || !issuer || !cert.verify(issuer.publicKey)) return false
  return names.every((name) => (isIp(name) ? cert.checkIP(name) : cert.checkHost(name))) && now < renewAt(leaf)
}

/** Two thirds of its life, in milliseconds since the epoch. */
export const renewAt = (leaf: Pair): number => {
  const { validFrom, validTo } = new X509Certificate(leaf.cert)
  const from = Date.parse(validFrom)
  return from + ((Date.parse(validTo) - from) * 2) / 3
}

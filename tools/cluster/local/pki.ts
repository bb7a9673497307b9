import { generateKeyPairSync, type webcrypto } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { local } from './layout.ts'

/** What a certificate says: subject, alternative names, and which side of TLS it may be used on. */
export type CertRequest = {
  name: string
  issuer: 'ca' | 'front-proxy-ca' | 'etcd-ca'
  commonName: string
  organization?: string
  dns?: string[]
  ips?: string[]
  usages: ('server' | 'client')[]
}

/** Every certificate of the local cluster. Separate authorities, so that a cluster user is no etcd user and no front proxy. */
export const certificates: CertRequest[] = [
  {
    name: 'apiserver',
    issuer: 'ca',
    commonName: 'kube-apiserver',
    dns: [
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
      'localhost',
    ],
    ips: [local.kubernetesServiceIP, local.nodeIP, '127.0.0.1'],
    usages: ['server'],
  },
  {
    name: 'apiserver-kubelet-client',
    issuer: 'ca',
    commonName: 'kube-apiserver-kubelet-client',
    organization: 'system:masters',
    usages: ['client'],
  },
  { name: 'apiserver-etcd-client', issuer: 'etcd-ca', commonName: 'kube-apiserver', usages: ['client'] },
  {
    name: 'etcd',
    issuer: 'etcd-ca',
    commonName: 'etcd',
    dns: ['localhost'],
    ips: ['127.0.0.1'],
    usages: ['server', 'client'],
  },
  { name: 'front-proxy-client', issuer: 'front-proxy-ca', commonName: 'front-proxy-client', usages: ['client'] },
  { name: 'admin', issuer: 'ca', commonName: 'remit-local-admin', organization: 'system:masters', usages: ['client'] },
  { name: 'controller-manager', issuer: 'ca', commonName: 'system:kube-controller-manager', usages: ['client'] },
  { name: 'scheduler', issuer: 'ca', commonName: 'system:kube-scheduler', usages: ['client'] },
  { name: 'kube-proxy', issuer: 'ca', commonName: 'system:kube-proxy', usages: ['client'] },
  {
    name: 'kubelet',
    issuer: 'ca',
    commonName: `system:node:${local.node}`,
    organization: 'system:nodes',
    usages: ['client'],
  },
  {
    name: 'kubelet-serving',
    issuer: 'ca',
    commonName: `system:node:${local.node}`,
    organization: 'system:nodes',
    dns: [local.node],
    ips: [local.nodeIP],
    usages: ['server'],
  },
  // Cilium reads and writes its own kinds and makes its own CRDs; on this throw-away node it is an administrator.
  { name: 'cilium', issuer: 'ca', commonName: 'cilium', organization: 'system:masters', usages: ['client'] },
]

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const day = 86_400_000

type Authority = { cert: x509.X509Certificate; keys: webcrypto.CryptoKeyPair }

const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>

async function pem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

function serial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  // Positive and without a leading zero byte, as DER integers want.
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

async function authority(name: string, now: number): Promise<Authority> {
  const keys = await newKeys()
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${name}`,
    notBefore: new Date(now - day),
    notAfter: new Date(now + 3650 * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert, keys }
}

async function leaf(request: CertRequest, issuer: Authority, now: number): Promise<{ cert: string; key: string }> {
  const keys = await newKeys()
  const alternatives = [
    ...(request.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ips ?? []).map((value) => ({ type: 'ip' as const, value })),
  ]
  const subject: x509.JsonName = [{ CN: [request.commonName] }]
  if (request.organization) subject.push({ O: [request.organization] })
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject,
    issuer: issuer.cert.subject,
    notBefore: new Date(now - day),
    notAfter: new Date(now + 3650 * day),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(
        request.usages.map((usage) => x509.ExtendedKeyUsage[usage === 'server' ? 'serverAuth' : 'clientAuth']),
      ),
      ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.cert),
    ],
  })
  return { cert: cert.toString('pem'), key: await pem(keys.privateKey) }
}

/** Writes all keys and certificates to `dir` (files `<name>.crt`, `<name>.key`, `sa.pub`, `sa.key`), readable by root only. */
export async function writePki(dir: string, now: number): Promise<void> {
  if (existsSync(join(dir, 'complete'))) return
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const write = (file: string, text: string) => writeFileSync(join(dir, file), text, { mode: 0o600 })
  const authorities = {
    ca: await authority('remit-local-ca', now),
    'front-proxy-ca': await authority('remit-local-front-proxy-ca', now),
    'etcd-ca': await authority('remit-local-etcd-ca', now),
  }
  for (const [name, { cert, keys }] of Object.entries(authorities)) {
    write(`${name}.crt`, cert.toString('pem'))
    write(`${name}.key`, await pem(keys.privateKey))
  }
  for (const request of certificates) {
    const { cert, key } = await leaf(request, authorities[request.issuer], now)
    write(`${request.name}.crt`, cert)
    write(`${request.name}.key`, key)
  }
  const sa = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  write('sa.pub', sa.publicKey)
  write('sa.key', sa.privateKey)
  write('complete', '')
}

/** A kubeconfig with one user, everything inlined, so that the file can be copied elsewhere. */
export function kubeconfig(user: string, ca: string, cert: string, key: string): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': local.context,
      clusters: [
        {
          name: local.context,
          cluster: { server: `https://${local.nodeIP}:${local.apiPort}`, 'certificate-authority-data': base64(ca) },
        },
      ],
      users: [{ name: user, user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) } }],
      contexts: [{ name: local.context, context: { cluster: local.context, user } }],
    },
    null,
    2,
  )}\n`
}

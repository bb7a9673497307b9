import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '../../lib/kube/client.ts'
import { loadKubeConfig } from '../../lib/kube/kubeconfig.ts'
import { ensureBinaries } from '../../tools/cluster/binaries.ts'
import { installCrds } from './crds.ts'
import { eventually } from './eventually.ts'
import { createAuthority, newSigningKeys, type Pair } from './pki.ts'
import { freePorts } from './ports.ts'
import { startProcess } from './process.ts'

export interface ApiserverOptions {
  /** Installs the repository's `crds/` and waits until they are served. */
  crds?: boolean
  /** More flags, the last one wins: `['--feature-gates=X=true']`. */
  args?: string[]
}

export interface User {
  name: string
  groups?: string[]
}

export interface Apiserver {
  readonly port: number
  /** `https://127.0.0.1:<port>`. */
  readonly url: string
  /** Everything of this cluster lies here, `apiserver.log` and `etcd.log` too; removed by `stop`. */
  readonly dir: string
  readonly etcdDataDir: string
  /** A token of `system:masters`. */
  readonly adminToken: string
  /** The authority of the serving certificate, PEM. */
  readonly ca: string
  /** A serving pair for 127.0.0.1 and localhost that `ca` vouches for: for proxies and webhooks of a test. */
  readonly serving: Pair
  /** The authority that vouches for the API server when it calls an aggregated API, PEM. */
  readonly requestHeaderCa: string
  /** As the administrator. */
  readonly client: Client
  /** A client of a real user, by client certificate. */
  clientAs(user: User): Promise<Client>
  /** A client with that bearer token, as of a ServiceAccount. */
  clientWithToken(token: string): Client
  /** The text of a kubeconfig: the administrator's, or that user's; `server` instead of `url`. */
  kubeconfig(options?: { user?: User; token?: string; server?: string }): Promise<string>
  /** kill -9 of the API server; etcd stays. */
  kill(): Promise<void>
  /** Starts the API server again on its port and waits until it is ready; kills a running one first. */
  restart(): Promise<void>
  /** Stops it in its tracks (SIGSTOP): connections stay open and silent. */
  freeze(): void
  thaw(): void
  /** Ends both and removes the folder. */
  stop(): Promise<void>
}

/** A real etcd and API server on loopback, with RBAC and admission as in a cluster, but no node and no controllers. */
export const startApiserver = async (options: ApiserverOptions = {}): Promise<Apiserver> => {
  const binaries = await ensureBinaries(['etcd', 'kube-apiserver'])
  const dir = mkdtempSync(join(tmpdir(), 'remit-apiserver-'))
  const etcdDataDir = join(dir, 'etcd')
  const ports = await freePorts(3)
  const [port, etcdPort, etcdPeerPort] = ports as [number, number, number]
  const url = `https://127.0.0.1:${port}`
  const etcdUrl = `http://127.0.0.1:${etcdPort}`
  const write = (name: string, text: string) => {
    const file = join(dir, name)
    writeFileSync(file, text, { mode: 0o600 })
    return file
  }

  const authority = await createAuthority('test-cluster')
  const frontAuthority = await createAuthority('front-proxy')
  const serving = await authority.issue('kube-apiserver', {
    names: ['127.0.0.1', 'localhost', 'kubernetes.default.svc'],
  })
  const frontProxy = await frontAuthority.issue('front-proxy-client')
  const adminToken = randomBytes(24).toString('hex')
  const saKeys = newSigningKeys()
  mkdirSync(etcdDataDir, { mode: 0o700 })

  const etcd = await startProcess({
    command: binaries.etcd,
    args: [
      `--data-dir=${etcdDataDir}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=http://127.0.0.1:${etcdPeerPort}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${etcdPeerPort}`,
      `--initial-cluster=default=http://127.0.0.1:${etcdPeerPort}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    logFile: join(dir, 'etcd.log'),
    removeOnOrphan: dir,
  })

  const args = [
    `--etcd-servers=${etcdUrl}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--tls-cert-file=${write('serving.crt', serving.cert)}`,
    `--tls-private-key-file=${write('serving.key', serving.key)}`,
    `--client-ca-file=${write('ca.crt', authority.cert)}`,
    `--token-auth-file=${write('tokens.csv', `${adminToken},admin,admin,system:masters\n`)}`,
    '--authorization-mode=Node,RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${write('sa.key', saKeys.privateKey)}`,
    `--service-account-key-file=${write('sa.pub', saKeys.publicKey)}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--endpoint-reconciler-type=none',
    '--allow-privileged=true',
    `--requestheader-client-ca-file=${write('front-proxy-ca.crt', frontAuthority.cert)}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${write('front-proxy.crt', frontProxy.cert)}`,
    `--proxy-client-key-file=${write('front-proxy.key', frontProxy.key)}`,
    ...(options.args ?? []),
  ]
  const logFile = join(dir, 'apiserver.log')

  const configOf = (name: string, credentials: object, server = url) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(authority.cert) } }],
      users: [{ name, user: credentials }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: name } }],
      'current-context': 'test',
    })
  const kubeconfig: Apiserver['kubeconfig'] = async ({ user, token, server } = {}) => {
    if (!user) return configOf('token', { token: token ?? adminToken }, server)
    const pair = await authority.issue(user.name, { groups: user.groups })
    const credentials = { 'client-certificate-data': base64(pair.cert), 'client-key-data': base64(pair.key) }
    return configOf(user.name, credentials, server)
  }
  const clientOf = (text: string) => createClient(loadKubeConfig({ from: 'text', text }))
  const clients: Client[] = []
  const remember = (client: Client) => {
    clients.push(client)
    return client
  }
  const client = remember(clientOf(await kubeconfig()))

  const start = async () => {
    const started = await startProcess({ command: binaries['kube-apiserver'], args, logFile, removeOnOrphan: dir })
    let ended: number | undefined
    void started.exited.then((code) => {
      ended = code
    })
    await eventually(
      async () => {
        if (ended === undefined) return (await client.text('GET', '/readyz', { timeoutMs: 1_000 })) === 'ok'
        return true
      },
      { timeoutMs: 60_000, what: 'API server ready' },
    )
    if (ended !== undefined) throw new Error(`the API server ended with ${ended}:\n${tail(logFile)}`)
    return started
  }

  const stopEtcd = async () => {
    await etcd.stop(1_000)
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }

  let apiserver: Awaited<ReturnType<typeof startProcess>>
  try {
    apiserver = await start()
    if (options.crds) await installCrds(client)
  } catch (error) {
    await stopEtcd()
    throw error
  }
  const kill = async () => {
    apiserver.signal('SIGKILL')
    await apiserver.exited
  }

  return {
    port,
    url,
    dir,
    etcdDataDir,
    adminToken,
    ca: authority.cert,
    serving,
    requestHeaderCa: frontAuthority.cert,
    client,
    clientAs: async (user) => remember(clientOf(await kubeconfig({ user }))),
    clientWithToken: (token) => remember(clientOf(configOf('token', { token }))),
    kubeconfig,
    kill,
    restart: async () => {
      await kill()
      apiserver = await start()
    },
    freeze: () => apiserver.signal('SIGSTOP'),
    thaw: () => apiserver.signal('SIGCONT'),
    stop: async () => {
      for (const each of clients) each.close()
      await kill()
      await stopEtcd()
    },
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

const tail = (file: string) => readFileSync(file, 'utf8').split('\n').slice(-30).join('\n')

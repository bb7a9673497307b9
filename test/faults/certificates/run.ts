import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:tls'
import { create, remove } from '../../../lib/kube/objects.ts'
import { ownerGroups, secrets } from '../../../lib/kube/resources.ts'
import { createLedgerClient } from '../../../sidecar/ledger/client.ts'
import { random } from '../../fuzz/random.ts'
import { eventually } from '../../harness/eventually.ts'
import { SYSTEM_NAMESPACE } from '../../webhook/chart.ts'
import { nobody, ownerGroup } from '../../webhook/fixtures.ts'
import { startEnd } from '../ledger/end.ts'
import { install } from './installation.ts'

export interface CertificatesOptions {
  seed: number
  /** How often each server's certificate is replaced. */
  rotations: number
  /** How many authorities must have issued what is served in the end. */
  authorities: number
  /** Seconds an authority lives: the next one issues after half of it. */
  authoritySeconds: number
  /** How many of each kind have to be asked meanwhile, however long a busy machine takes for them. */
  requestsOfEach: number
  say?: (line: string) => void
}
export interface CertificatesReport {
  /** Different certificates that each server has shown. */
  served: { webhook: number; ledger: number }
  authorities: number
  /** Requests by what was asked, and those that failed. */
  requests: Record<string, number>
  failed: number
  /** What the first failures said. */
  failures: string[]
}

const EVIDENCE = '/apis/evidence.remit.dev/v1alpha1/receipts'

/** The certificate a server shows to a new connection. */
const shownBy = (port: number, servername: string): Promise<{ serial: string; issuer: string }> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
      const { serialNumber, issuer } = socket.getPeerCertificate()
      socket.destroy()
      resolve({ serial: serialNumber, issuer: String(issuer.CN) })
    })
    socket.on('error', reject)
  })

/** Replaces certificates and authorities while clients ask without a pause, and counts who got no answer. */
export const runCertificates = async (options: CertificatesOptions): Promise<CertificatesReport> => {
  const { say = () => {}, rotations, authoritySeconds } = options
  const choose = random(options.seed, 0)
  const dir = mkdtempSync(join(tmpdir(), 'remit-faults-'))
  const installed = await install({ authority: authoritySeconds, certificate: authoritySeconds })
  const over = new AbortController()
  const closing: (() => Promise<void>)[] = []
  try {
    const { client: admin } = installed.api
    const requests: Record<string, number> = {}
    const asked = () => Object.values({ ...requests, receipts: end.lastSeq() + 1 })
    const failures: string[] = []
    let failed = 0
    const fail = (what: string, error: unknown) => {
      failed++
      const { message, cause } = error as Error
      if (failures.length < 5) failures.push(`${what}: ${message}${cause ? ` (${(cause as Error).message})` : ''}`)
    }
    const client = async (what: string, ask: () => Promise<unknown>) => {
      while (!over.signal.aborted) {
        requests[what] = (requests[what] ?? 0) + 1
        await ask().catch((error) => fail(what, error))
        await pause(10)
      }
    }
    const dryRun = { query: { dryRun: 'All' } }
    const refused = async () => {
      const text = await create(admin, ownerGroups, nobody('default'), dryRun).then(() => 'it was accepted', String)
      // The webhook's own refusal: it was asked, and its answer was heard.
      if (!text.includes('NobodyOnCall')) throw new Error(text)
    }
    const settings = await installed.agent('payments')
    const end = await startEnd({
      ...settings,
      dir: join(dir, 'end'),
      warned: (message) => fail('sidecar', new Error(message)),
    })
    closing.push(end.close)
    await eventually(() => end.generation() > 0, { timeoutMs: 20_000, what: 'the first remit' })
    const { url, name } = settings
    // A new connection each time, believed by what the sidecar believes now.
    const connectAnew = async () => {
      const ledger = createLedgerClient({ url, name, ca: end.ca, tokenFile: end.tokenFile })
      try {
        await ledger.history(new Date(), () => undefined, AbortSignal.timeout(10_000))
      } finally {
        ledger.close()
      }
    }
    const accepted = () => create(admin, ownerGroups, ownerGroup('default'), dryRun)
    const clients = [
      ...[refused, refused].map((ask) => client('webhook: refused', ask)),
      ...[accepted, accepted].map((ask) => client('webhook: accepted', ask)),
      client('evidence', () => admin.request('GET', EVIDENCE, { query: { limit: 1 } })),
      client('ledger, anew', connectAnew),
      end.work(20, over.signal),
    ]

    const servers = {
      webhook: { port: installed.ports.webhook, name: 'remit-webhook.remit-system.svc', seen: new Set<string>() },
      ledger: { port: installed.ports.ledger, name: 'remit-ledger.remit-system.svc', seen: new Set<string>() },
    }
    const issuers = new Set<string>()
    const look = async () => {
      for (const { port, name, seen } of Object.values(servers)) {
        const { serial, issuer } = await shownBy(port, name)
        seen.add(serial)
        issuers.add(issuer)
      }
    }
    const enough = () =>
      issuers.size >= options.authorities &&
      Object.values(servers).every(({ seen }) => seen.size > rotations) &&
      asked().every((times) => times >= options.requestsOfEach)
    await look()
    for (let round = 1; !enough(); round++) {
      // As somebody does who wants a new one now; the authority's turn comes by itself.
      const part = choose.pick(['webhook', 'ledger'] as const)
      const both = choose.chance(0.5)
      const before = { webhook: servers.webhook.seen.size, ledger: servers.ledger.seen.size }
      for (const each of both ? (['webhook', 'ledger'] as const) : [part])
        await remove(admin, secrets, { namespace: SYSTEM_NAMESPACE, name: `remit-${each}-tls` })
      await eventually(
        async () => {
          await look()
          return servers[part].seen.size > before[part]
        },
        { timeoutMs: 20_000, everyMs: 50, what: `a new certificate of the ${part}` },
      )
      if (round % 20 === 0)
        say(
          `${servers.webhook.seen.size} and ${servers.ledger.seen.size} certificates of ${issuers.size} authorities, ${failed} requests failed`,
        )
    }
    over.abort()
    await Promise.all(clients)
    requests.receipts = end.lastSeq() + 1
    return {
      served: { webhook: servers.webhook.seen.size, ledger: servers.ledger.seen.size },
      authorities: issuers.size,
      requests,
      failed,
      failures,
    }
  } finally {
    over.abort()
    for (const close of closing) await close()
    await installed.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

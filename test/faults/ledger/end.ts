import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { receiptName } from '../../../lib/api/receipt.ts'
import type { Anchor } from '../../../lib/core/jws.ts'
import { createLogger } from '../../../lib/service/log.ts'
import { createAuthority } from '../../../sidecar/authority.ts'
import { createLedgerClient } from '../../../sidecar/ledger/client.ts'
import { startRemitSource } from '../../../sidecar/ledger/remits.ts'
import { startDrain } from '../../../sidecar/spool/drain.ts'
import { openSpool } from '../../../sidecar/spool/spool.ts'
import type { Agent } from '../../ledger/world.ts'

export interface EndOptions {
  agent: Pick<Agent, 'namespace' | 'name' | 'id' | 'pod' | 'token'>
  /** A folder of its own. */
  dir: string
  url: string
  /** The name the ledger's certificate shows. */
  name: string
  ca: string
  cluster: string
  anchors: Anchor[]
  /** Told of each warning. */
  warned?: (message: string) => void
}

/** The sidecar's end of the wire to the ledger, of the very parts the sidecar is made of; calls are only recorded. */
export interface End {
  agent: EndOptions['agent']
  incarnation: string
  /** Of the remit in force; 0 without one. */
  generation: () => number
  /** The authorities the ledger is believed by now, PEM. */
  ca: () => string
  tokenFile: string
  /** Sequence number of the last receipt that is on disk. */
  lastSeq: () => number
  /** Resolves once the ledger has acknowledged what is on disk now; also when the signal aborts. */
  drained: (signal: AbortSignal) => Promise<void>
  /** Records a call and its result over and over, so many a second, until the signal aborts. */
  work: (perSecond: number, signal: AbortSignal) => Promise<void>
  close: () => Promise<void>
}

const loggerFor = (warned: EndOptions['warned']) => {
  const log = createLogger({ part: 'faults', level: 'silent' })
  if (warned) log.warn = ((_fields: object, message: string) => warned(message)) as typeof log.warn
  return log
}

export const startEnd = async ({ agent, dir, url, name, ca, cluster, anchors, warned }: EndOptions): Promise<End> => {
  mkdirSync(dir, { recursive: true })
  const tokenFile = join(dir, 'token')
  writeFileSync(tokenFile, agent.token, { mode: 0o600 })
  const stop = new AbortController()
  const identity = { id: agent.id, namespace: agent.namespace, name: agent.name }
  const log = loggerFor(warned)
  const authority = createAuthority({ log })
  const spool = await openSpool({
    dir: join(dir, 'spool'),
    incarnation: {
      agent: identity,
      podName: agent.pod.name,
      podUID: agent.pod.uid,
      sidecar: { version: 'faults' },
    },
    maxBytes: 128 * 1024 * 1024,
    keep: false,
    now: Date.now,
    epoch: authority.epoch,
    log,
  })
  authority.recordWith(spool.record)
  const trusted = () => authority.current()?.remit.ledgerCA ?? ca
  const ledger = createLedgerClient({ url, name, ca: trusted, tokenFile })
  const remits = startRemitSource({
    ledger,
    authority,
    anchors,
    expect: { cluster, agentId: agent.id },
    dir: join(dir, 'spool'),
    signal: stop.signal,
    log,
  })
  const drain = startDrain({ spool, dir: join(dir, 'spool'), post: ledger.post, log, signal: stop.signal })

  const call = async () => {
    const intent = await spool.record({
      kind: 'intent',
      agent: { ...identity, createdBy: { username: 'ana@corp.example', at: '2026-10-05T02:00:00Z' } },
      owner: { group: 'billing-team', onCall: ['ana'] },
      remit: { digest: '0'.repeat(64), generation: 1 },
      call: {
        type: 'tool',
        server: 'billing',
        tool: 'get_invoice',
        argumentsDigest: '0'.repeat(64),
        argumentsBytes: 2,
        arguments: {},
      },
      decision: {
        effect: 'Allow',
        rule: 'read',
        policy: `${agent.namespace}/billing`,
        reason: 'The rule read allows it.',
      },
    })
    await spool.record({ kind: 'result', intent: receiptName(intent), outcome: 'ok', durationMs: 1.5 })
  }
  return {
    agent,
    incarnation: spool.incarnation,
    generation: () => authority.current()?.remit.generation ?? 0,
    ca: trusted,
    tokenFile,
    lastSeq: spool.lastSeq,
    drained: (signal) => drain.reached(spool.lastSeq(), signal),
    work: async (perSecond, signal) => {
      while (!signal.aborted) {
        await call()
        await pause(1_000 / perSecond, undefined, { signal }).catch(() => undefined)
      }
    },
    close: async () => {
      stop.abort()
      await Promise.all([drain.done, remits.done])
      ledger.close()
      await spool.close()
    },
  }
}

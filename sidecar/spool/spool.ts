import { mkdirSync } from 'node:fs'
import type { Envelope, IncarnationBody, ReceiptBody } from '../../lib/api/receipt.ts'
import { receiptName } from '../../lib/api/receipt.ts'
import { type ChainState, newIncarnation, seal, startChain } from '../../lib/core/chain.ts'
import { UserError } from '../../lib/core/errors.ts'
import type { Logger } from '../../lib/service/log.ts'
import { type Appender, createSegment, removeSegment, type Segment } from './files.ts'
import { lockDirectory } from './lock.ts'
import { recover } from './recover.ts'

export interface SpoolOptions {
  dir: string
  /** The first receipt's body, but for what the spool knows itself. */
  incarnation: Omit<IncarnationBody, 'kind' | 'publicKey' | 'previous'>
  /** Receipts not yet taken by the ledger; beyond it intents are refused. */
  maxBytes: number
  /** Segments are kept after the ledger has them. */
  keep: boolean
  segmentBytes?: number
  now: () => number
  /** The operator epoch of the remit in force. */
  epoch: () => number
  log: Logger
}

/** The durable, hash-chained record of one container start. */
export interface Spool {
  incarnation: string
  /** Resolves once the receipt is on disk; rejects with UserError(CannotRecord). What is not an intent is kept and tried again. */
  record: (body: ReceiptBody) => Promise<Envelope>
  /** All there is, oldest first, with the bytes that are on disk (Infinity: the whole file). */
  segments: () => { segment: Segment; length: number }[]
  /** Sequence number of the last receipt that is on disk. */
  lastSeq: () => number
  onCommit: (listener: () => void) => void
  /** The ledger has this many bytes more; `finished` segments before the newest may go. */
  taken: (bytes: number, finished?: Segment) => void
  /** Sets how much of what was found at the start the ledger does not have. */
  setBacklog: (bytes: number) => void
  backlogBytes: () => number
  check: () => true | string
  close: () => Promise<void>
}

interface Item {
  body: ReceiptBody
  resolve: (envelope: Envelope) => void
  reject: (error: Error) => void
}

const RETRY_MS = 1_000
/** More in one go would keep the event loop from its sockets while they are signed. */
const MAX_GROUP = 64
/** So that results still fit when intents no longer do. */
const RESERVE_SHARE = 0.9

const cannotRecord = (detail: string) => new UserError('CannotRecord', { detail })

/** Opens a spool directory: repairs what a kill left, begins a new incarnation, says which calls it orphaned. */
export const openSpool = async (options: SpoolOptions): Promise<Spool> => {
  const { dir, now, log, segmentBytes = 4 * 1024 * 1024 } = options
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const unlock = lockDirectory(dir)
  const found = recover(dir)
  const keys = newIncarnation()
  let chain: ChainState = startChain(keys, options.incarnation.agent.id)

  /** Seals what can be sealed; what cannot (our own mistake) is told by its index and takes no part. */
  const sealAll = (bodies: ReceiptBody[]) => {
    let state = chain
    const envelopes: (Envelope | Error)[] = []
    const lines: string[] = []
    for (const body of bodies) {
      try {
        const sealed = seal(state, body.kind, body, now(), options.epoch())
        state = sealed.state
        envelopes.push(sealed.receipt.envelope)
        lines.push(`${sealed.text}\n`)
      } catch (error) {
        envelopes.push(error as Error)
      }
    }
    return { state, envelopes, bytes: Buffer.from(lines.join('')) }
  }

  const opening = sealAll([
    {
      kind: 'incarnation',
      ...options.incarnation,
      publicKey: keys.publicKey,
      ...(found.previous ? { previous: found.previous } : {}),
    },
    ...found.open.map((intent): ReceiptBody => ({ kind: 'orphan', intent })),
  ])
  let appender: Appender = createSegment(dir, found.nextIndex, keys.id, opening.bytes)
  chain = opening.state
  if (found.open.length || found.torn)
    log.warn({ orphans: found.open.length, tornBytes: found.torn }, 'the run before ended in the middle of its work')

  const closed: Segment[] = [...found.segments]
  const openIntents = new Map<string, Segment>()
  const finished = new Set<Segment>()
  const listeners: (() => void)[] = []
  let backlog = opening.bytes.length
  let queue: Item[] = []
  /** Facts that could not be written yet: they go first when the disk takes bytes again. */
  let owed: ReceiptBody[] = []
  let broken: string | undefined
  let running: Promise<void> | undefined
  let retry: NodeJS.Timeout | undefined

  const note = (envelope: Envelope, body: ReceiptBody) => {
    if (body.kind === 'intent' && body.decision.effect === 'Allow')
      openIntents.set(receiptName(envelope), appender.segment)
    if (body.kind === 'result') openIntents.delete(body.intent)
  }

  const dropFinished = () => {
    if (options.keep) return
    for (const segment of finished) {
      if ([...openIntents.values()].includes(segment)) continue
      finished.delete(segment)
      closed.splice(closed.indexOf(segment), 1)
      removeSegment(segment)
    }
  }

  const rotate = () => {
    if (appender.length() < segmentBytes) return
    const next = createSegment(dir, appender.segment.index + 1, keys.id)
    closed.push(appender.segment)
    appender.close()
    appender = next
  }

  const commit = async (items: Item[]) => {
    const first = owed
    const bodies = [...first, ...items.map((item) => item.body)]
    try {
      if (broken !== undefined) appender.repair()
      rotate()
      const sealed = sealAll(bodies)
      await appender.append(sealed.bytes)
      chain = sealed.state
      backlog += sealed.bytes.length
      owed = []
      if (broken !== undefined) log.info({}, 'recording works again')
      broken = undefined
      sealed.envelopes.forEach((envelope, i) => {
        const item = items[i - first.length]
        if (envelope instanceof Error) {
          log.error({ err: envelope, kind: bodies[i]!.kind }, 'a receipt could not be made')
          item?.reject(cannotRecord('the receipt could not be made'))
          return
        }
        note(envelope, bodies[i]!)
        item?.resolve(envelope)
      })
      for (const listener of listeners) listener()
    } catch (error) {
      const detail = (error as NodeJS.ErrnoException).code ?? (error as Error).message
      if (broken === undefined) log.error({ err: error }, 'receipts cannot be written')
      broken = detail
      for (const item of items) {
        if (item.body.kind !== 'intent') owed.push(item.body)
        item.reject(cannotRecord(detail))
      }
      try {
        appender.repair()
      } catch (again) {
        log.error({ err: again }, 'the spool cannot be repaired yet')
      }
      retry ??= setTimeout(() => {
        retry = undefined
        pump()
      }, RETRY_MS).unref()
    }
  }

  const pump = () => {
    running ??= (async () => {
      do await commit(queue.splice(0, MAX_GROUP))
      while (queue.length)
    })().finally(() => {
      running = undefined
      if (queue.length) pump()
    })
  }

  return {
    incarnation: keys.id,
    record: (body) => {
      if (body.kind === 'intent' && backlog > options.maxBytes * RESERVE_SHARE)
        return Promise.reject(cannotRecord('the ledger has not taken the receipts before it and the spool is full'))
      return new Promise<Envelope>((resolve, reject) => {
        queue.push({ body, resolve, reject })
        pump()
      })
    },
    segments: () => [
      ...closed.map((segment) => ({ segment, length: Number.POSITIVE_INFINITY })),
      { segment: appender.segment, length: appender.length() },
    ],
    lastSeq: () => chain.seq - 1,
    onCommit: (listener) => void listeners.push(listener),
    taken: (bytes, segment) => {
      backlog = Math.max(0, backlog - bytes)
      if (segment && closed.includes(segment)) finished.add(segment)
      dropFinished()
    },
    setBacklog: (bytes) => {
      backlog = bytes
    },
    backlogBytes: () => backlog,
    check: () => (broken === undefined ? true : `receipts cannot be written: ${broken}`),
    close: async () => {
      clearTimeout(retry)
      while (running) await running
      queue = []
      appender.close()
      unlock()
    },
  }
}

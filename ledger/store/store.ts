import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Entry, openIndex, type ReceiptIndex } from './index.ts'
import { LogFull, type LogOptions, openLog, type Position, type ReceiptLog } from './log.ts'
import type { StoredReceipt } from './record.ts'
import { type Row, toRow } from './rows.ts'

export interface ReceiptStore {
  /** Resolves once the index knows everything that is durable; rejects with LogFull while it cannot. */
  settled(): Promise<void>
  /** Makes receipts durable, all or none, then visible to every reader. Rejects with LogFull when the disk is full. */
  add(receipts: StoredReceipt[]): Promise<void>
  read(row: Pick<Row, 'segment' | 'offset' | 'length'>): Promise<StoredReceipt>
  index: Omit<ReceiptIndex, 'apply' | 'discard' | 'close'>
  /** Called after each change; returns how to stop. */
  onChange(listener: () => void): () => void
  /** Why it cannot go on; a new process may. */
  broken(): string | undefined
  close(): Promise<void>
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const isDamage = (error: unknown) => [11, 26].includes((error as { errcode?: number }).errcode ?? 0)

const CATCH_UP = 500

const toEntry = (stored: StoredReceipt, position: Position): Entry => {
  const { body } = stored.receipt
  const row = toRow(stored, position)
  if (body.kind !== 'incarnation') return { row }
  return { row, registered: { podUID: body.podUID ?? '', publicKey: body.publicKey } }
}

/**
 * The segments, which are the record, and the index, which follows them. The index only learns what is durable; when
 * it cannot be written it lags, and nothing new is taken until it has caught up.
 */
export const openStore = async (options: Omit<LogOptions, 'durable'>): Promise<ReceiptStore> => {
  const segments = join(options.dir, 'receipts')
  await mkdir(segments, { recursive: true })
  const index = openIndex(join(options.dir, 'index.sqlite'))
  const log: ReceiptLog = await openLog({ ...options, dir: segments, durable: index.head() })
  const listeners = new Set<() => void>()
  let catching: Promise<void> | undefined

  const catchUp = async () => {
    while (index.head() < log.head()) {
      let entries: Entry[] = []
      const flush = () => {
        index.apply(entries)
        entries = []
      }
      for await (const { n, segment, offset, length, text } of log.scan(index.head() + 1)) {
        entries.push(toEntry(JSON.parse(text), { n, segment, offset, length }))
        if (entries.length >= CATCH_UP) flush()
      }
      flush()
    }
  }
  const follow = () => {
    catching ??= catchUp().finally(() => {
      catching = undefined
    })
    return catching
  }
  await follow()

  let lagging = false
  let damaged: string | undefined
  const catchUpOrRefuse = async (learning: () => void | Promise<void>) => {
    try {
      await learning()
      lagging = false
    } catch (error) {
      lagging = true
      if (isDamage(error)) {
        damaged = 'the index is damaged; it is made again at the next start'
        index.discard()
      }
      throw new LogFull('the index could not be written', { cause: error })
    }
  }
  const learn = async (receipts: StoredReceipt[], positions: Position[]) => {
    if (!catching && positions[0]?.n === index.head() + 1) {
      index.apply(receipts.map((stored, i) => toEntry(stored, positions[i] as Position)))
    } else await follow()
  }
  return {
    settled: async () => {
      if (lagging) await catchUpOrRefuse(follow)
    },
    add: async (receipts) => {
      if (lagging) throw new LogFull('the index is behind')
      const positions = await log.append(receipts.map((r) => JSON.stringify(r)))
      await catchUpOrRefuse(() => learn(receipts, positions))
      for (const listener of listeners) listener()
    },
    read: async (row) => JSON.parse(await log.read(row)) as StoredReceipt,
    index,
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    broken: () => log.broken() ?? damaged,
    close: async () => {
      await log.close()
      index.close()
    },
  }
}

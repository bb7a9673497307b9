import { rmSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { type CountersTable, openCounters } from './counters.ts'
import { openPast, type PastTable } from './past.ts'
import type { Row } from './rows.ts'
import { COLUMNS, SCHEMA, VERSION } from './schema.ts'

/** What the ledger must know of a container start to take its next receipt. */
export interface Incarnation {
  incarnation: string
  namespace: string
  agent: string
  agentId: string
  podUID: string
  /** Raw Ed25519 key, base64url. */
  publicKey: string
  seq: number
  /** Hash of the last envelope. */
  hash: string
}
export interface Entry {
  row: Row
  /** Of a first receipt. */
  registered?: { podUID: string; publicKey: string }
}
/** A condition on rows: SQL over the columns of Row with its values; made by the selectors, never from a user's text. */
export interface Filter {
  sql: string
  values: SQLInputValue[]
}
export interface ReceiptIndex {
  /** Position up to which it is complete. */
  head(): number
  /** Takes entries in order, all or none. */
  apply(entries: Entry[]): void
  incarnation(id: string): Incarnation | undefined
  /** Container starts of a pod. */
  ofPod(podUID: string): string[]
  /** Envelope hash of a receipt. */
  hash(incarnation: string, seq: number): string | undefined
  /** Rows with `after < n <= until`, in order; descending: `until` down to `after`, both the same way round. */
  rows(filter: Filter, range: { after: number; until: number; limit: number; desc?: boolean }): Row[]
  /** Intents whose outcome came with a position in (after, until]. */
  outcomes(filter: Filter, range: { after: number; until: number; limit: number }): Row[]
  byName(namespace: string, name: string): Row | undefined
  counters: CountersTable['read']
  freezes: CountersTable['freezes']
  past: PastTable['page']
  lastFreeze: PastTable['lastFreeze']
  /** The newest container start of a pod. */
  newestOf(podUID: string): string | undefined
  /** Removes its files, so that the next start makes it again. */
  discard(): void
  close(): void
}

const openDatabase = (path: string): DatabaseSync => {
  const db = new DatabaseSync(path)
  try {
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192; PRAGMA busy_timeout = 0',
    )
    const version = db.prepare('PRAGMA user_version').get() as { user_version: number }
    if (version.user_version === 0) db.exec(`BEGIN; ${SCHEMA} COMMIT`)
    else if (version.user_version !== VERSION) throw new Error('made by another version')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Types of calls that an agent's history is about. */
const IN_HISTORY = new Set(['tool', 'resource', 'prompt'])

const remove = (path: string) => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}

/**
 * The query index in SQLite. It holds nothing the segments do not: one that is missing, damaged or of another version
 * is made again, and the caller brings it up to date from the log.
 */
export const openIndex = (path: string): ReceiptIndex => {
  let db: DatabaseSync
  try {
    db = openDatabase(path)
  } catch {
    remove(path)
    db = openDatabase(path)
  }
  const insert = db.prepare(`INSERT INTO receipts (${COLUMNS}) VALUES (${COLUMNS.map((c) => `:${c}`)})`)
  const register = db.prepare('INSERT INTO incarnations VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const advance = db.prepare('UPDATE incarnations SET seq = ?, hash = ? WHERE incarnation = ?')
  const settle = db.prepare(
    "UPDATE receipts SET outcome = ?, outcome_n = ? WHERE incarnation = ? AND seq = ? AND agent_id = ? AND kind = 'intent' AND outcome_n IS NULL RETURNING past",
  )
  const setHead = db.prepare('UPDATE head SET n = ?')
  const getHead = db.prepare('SELECT n FROM head')
  const getIncarnation = db.prepare('SELECT * FROM incarnations WHERE incarnation = ?')
  const getOfPod = db.prepare('SELECT incarnation FROM incarnations WHERE podUID = ?')
  const getHash = db.prepare('SELECT hash FROM receipts WHERE incarnation = ? AND seq = ?')
  const getNamed = db.prepare('SELECT * FROM receipts WHERE incarnation = ? AND seq = ? AND namespace = ?')
  const getNewest = db.prepare(
    `SELECT i.incarnation FROM incarnations i JOIN receipts r ON r.incarnation = i.incarnation AND r.seq = 0
     WHERE i.podUID = ? ORDER BY r.n DESC LIMIT 1`,
  )
  const counters = openCounters(db)
  const past = openPast(db)
  let head = (getHead.get() as { n: number }).n

  /** When the receipt counts in its agent's history; tells its intent what came of it. */
  const settled = (row: Row): number | null => {
    // A call that came before the past was known says nothing about the agent.
    if (row.kind === 'intent')
      return IN_HISTORY.has(row.type ?? '') && row.code !== 'HistoryNotLoaded' ? row.time : null
    if (row.kind === 'escalation') return row.time
    const intent = row.intent && splitName(row.intent)
    if (!intent) return null
    const call = settle.get(row.outcome, row.n, intent.incarnation, intent.seq, row.agent_id) as
      | { past: number | null }
      | undefined
    return typeof call?.past === 'number' ? Math.max(call.past, row.time) : null
  }
  const applyOne = ({ row, registered }: Entry) => {
    insert.run({ ...row, past: settled(row) } as unknown as Record<string, SQLInputValue>)
    if (registered) {
      register.run(
        row.incarnation,
        row.namespace,
        row.agent,
        row.agent_id,
        registered.podUID,
        registered.publicKey,
        row.seq,
        row.hash,
      )
    } else advance.run(row.seq, row.hash, row.incarnation)
    counters.count(row)
  }
  return {
    head: () => head,
    apply: (entries) => {
      const last = entries.at(-1)?.row.n
      if (last === undefined) return
      db.exec('BEGIN')
      try {
        for (const entry of entries) applyOne(entry)
        setHead.run(last)
        db.exec('COMMIT')
      } catch (error) {
        db.exec('ROLLBACK')
        throw error
      }
      head = last
    },
    incarnation: (id) => getIncarnation.get(id) as Incarnation | undefined,
    ofPod: (podUID) => (getOfPod.all(podUID) as { incarnation: string }[]).map(({ incarnation }) => incarnation),
    newestOf: (podUID) => (getNewest.get(podUID) as { incarnation: string } | undefined)?.incarnation,
    hash: (incarnation, seq) => (getHash.get(incarnation, seq) as { hash: string } | undefined)?.hash,
    rows: ({ sql, values }, { after, until, limit, desc }) =>
      db
        .prepare(
          `SELECT * FROM receipts WHERE n > ? AND n <= ? AND (${sql}) ORDER BY n ${desc ? 'DESC' : 'ASC'} LIMIT ?`,
        )
        .all(after, until, ...values, limit) as unknown as Row[],
    outcomes: ({ sql, values }, { after, until, limit }) =>
      db
        .prepare(
          `SELECT * FROM receipts WHERE outcome_n > ? AND outcome_n <= ? AND (${sql}) ORDER BY outcome_n LIMIT ?`,
        )
        .all(after, until, ...values, limit) as unknown as Row[],
    byName: (namespace, name) => {
      const parts = splitName(name)
      return parts && (getNamed.get(parts.incarnation, parts.seq, namespace) as Row | undefined)
    },
    counters: counters.read,
    freezes: counters.freezes,
    past: past.page,
    lastFreeze: past.lastFreeze,
    discard: () => remove(path),
    close: () => db.close(),
  }
}

/** The parts of a receipt's name. */
const splitName = (name: string): { incarnation: string; seq: number } | undefined => {
  const match = /^([0-9a-f]{12})-(0|[1-9]\d{0,14})$/.exec(name)
  return match ? { incarnation: match[1] as string, seq: Number(match[2]) } : undefined
}

import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readIfThere } from '../../lib/service/files.ts'

const CURSOR = 'cursor.json'

/** How far the ledger has the spool: so many bytes of this segment, and all before it. */
export interface Cursor {
  segment: string
  offset: number
}

/** Not synced: after a crash the ledger is sent a little again, which it knows how to take. */
export const saveCursor = (dir: string, cursor: Cursor) => {
  writeFileSync(join(dir, `.${CURSOR}.new`), JSON.stringify(cursor), { mode: 0o600 })
  renameSync(join(dir, `.${CURSOR}.new`), join(dir, CURSOR))
}
/** The one saved last; the beginning where there is none. */
export const savedCursor = (dir: string): Cursor => {
  try {
    const saved = JSON.parse(readIfThere(join(dir, CURSOR)) ?? '{}') as Partial<Cursor>
    return { segment: saved.segment ?? '', offset: saved.offset ?? 0 }
  } catch {
    return { segment: '', offset: 0 }
  }
}

import type { Response } from 'express'
import { type Writer, writerOf } from '../http/writer.ts'
import type { Row } from '../store/rows.ts'
import { EVIDENCE_API_VERSION, KIND } from './group.ts'
import { filterFor, HEADS, itemOf, type Shown } from './list.ts'
import type { Form } from './negotiate.ts'
import type { ReceiptQuery } from './query.ts'
import { COLUMNS } from './table.ts'

const CHUNK = 500
/** Changes that come within this are told together. */
const GATHER_MS = 50
const BOOKMARK_MS = 60_000
const DEFAULT_SECONDS = 1_800
const MAX_SECONDS = 3_600

/**
 * Streams what is recorded from now on (or from a resourceVersion): ADDED for each receipt, and in a table MODIFIED for
 * an intent whose outcome has come. Ends by itself after `timeoutSeconds`, as every watch of Kubernetes does.
 */
export const sendWatch = async (response: Response, query: ReceiptQuery, form: Form, shown: Shown): Promise<void> => {
  const { store } = shown
  const filter = filterFor(query, form)
  const writer = writerOf(response)
  let at = query.from
  let told = false

  const event = async (type: string, row: Row) => {
    const item = await itemOf(row, form, query, shown)
    const { columnDefinitions: _, ...head } = HEADS.Table.head as { columnDefinitions: unknown }
    // A client prints the columns of the first event only.
    const table = {
      ...head,
      columnDefinitions: told ? [] : COLUMNS,
      metadata: { resourceVersion: String(at) },
      rows: [item],
    }
    told = true
    return writer.write(`${JSON.stringify({ type, object: form === 'Table' ? table : item })}\n`)
  }
  const tell = async () => {
    const head = store.index.head()
    const since = at
    while (at < head && !writer.gone()) {
      const rows = store.index.rows(filter, { after: at, until: head, limit: CHUNK })
      for (const row of rows) if (!(await event('ADDED', row))) return
      at = rows.length < CHUNK ? head : (rows.at(-1) as Row).n
    }
    if (form !== 'Table') return
    for (let settled = since; settled < head && !writer.gone(); ) {
      const rows = store.index.outcomes(filter, { after: settled, until: head, limit: CHUNK })
      // What has just been added already shows its outcome.
      for (const row of rows) if (row.n <= since && !(await event('MODIFIED', row))) return
      settled = rows.length < CHUNK ? head : ((rows.at(-1) as Row).outcome_n as number)
    }
  }
  const bookmark = () => {
    const object =
      form === 'Table'
        ? { ...HEADS.Table.head, columnDefinitions: [], rows: [], metadata: { resourceVersion: String(at) } }
        : { apiVersion: EVIDENCE_API_VERSION, kind: KIND, metadata: { resourceVersion: String(at) } }
    return writer.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`)
  }

  response.setHeader('content-type', 'application/json')
  response.flushHeaders()
  await follow(response, writer, shown, {
    tell,
    bookmark: query.bookmarks ? bookmark : undefined,
    seconds: query.timeoutSeconds,
  })
  response.end()
}

const follow = async (
  response: Response,
  writer: Writer,
  { store }: Shown,
  run: { tell: () => Promise<void>; bookmark?: () => Promise<boolean>; seconds?: number },
) => {
  let wake = () => {}
  let over = false
  let marked = Date.now()
  const end = setTimeout(
    () => {
      over = true
      wake()
    },
    Math.min(run.seconds || DEFAULT_SECONDS, MAX_SECONDS) * 1000,
  )
  const marks = setInterval(() => wake(), BOOKMARK_MS)
  let changed = true
  const stop = store.onChange(() => {
    changed = true
    wake()
  })
  response.once('close', () => wake())
  try {
    while (!over && !writer.gone()) {
      if (changed) {
        changed = false
        await run.tell()
        await new Promise((resolve) => setTimeout(resolve, GATHER_MS))
        continue
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
      if (run.bookmark && Date.now() - marked >= BOOKMARK_MS) {
        marked = Date.now()
        await run.bookmark()
      }
    }
  } finally {
    clearTimeout(end)
    clearInterval(marks)
    stop()
  }
}

import type { Response } from 'express'
import { writerOf } from '../http/writer.ts'
import type { Row } from '../store/rows.ts'
import type { ReceiptStore } from '../store/store.ts'
import { EVIDENCE_API_VERSION } from './group.ts'
import type { Form } from './negotiate.ts'
import { metadataOf, toObject, toPartial } from './object.ts'
import { encodePage, type Page, type ReceiptQuery } from './query.ts'
import { both } from './selectors.ts'
import { COLUMNS, cells, FOR_PEOPLE } from './table.ts'

export interface Shown {
  store: ReceiptStore
  now: () => number
}

const CHUNK = 500

/** The rows a query means in a form: tables leave out what says nothing to a person. */
export const filterFor = (query: ReceiptQuery, form: Form) =>
  form === 'Table' && !query.exact ? both(query.filter, FOR_PEOPLE) : query.filter

/** One receipt as an item of a list, a row of a table, or its metadata. */
export const itemOf = async (
  row: Row,
  form: Form,
  query: Pick<ReceiptQuery, 'includeObject'>,
  { store, now }: Shown,
): Promise<object> => {
  if (form === 'Object') return toObject(row, await store.read(row))
  if (form === 'Metadata') return toPartial(row)
  const object =
    query.includeObject === 'None'
      ? undefined
      : query.includeObject === 'Object'
        ? toObject(row, await store.read(row))
        : { ...toPartial(row), metadata: metadataOf(row) }
  return { cells: cells(row, now()), object }
}

/** What opens a list in each form; its items and metadata follow. */
export const HEADS: Record<Form, { head: object; items: 'items' | 'rows' }> = {
  Object: { head: { kind: 'ReceiptList', apiVersion: EVIDENCE_API_VERSION }, items: 'items' },
  Metadata: { head: { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' }, items: 'items' },
  Table: { head: { kind: 'Table', apiVersion: 'meta.k8s.io/v1', columnDefinitions: COLUMNS }, items: 'rows' },
}

/**
 * Streams a list, chunk by chunk: however long it is, memory stays the same. All pages of one listing are of the
 * snapshot its first page was of.
 */
export const sendList = async (response: Response, query: ReceiptQuery, form: Form, shown: Shown): Promise<void> => {
  const { store } = shown
  const writer = writerOf(response)
  const { head, items } = HEADS[form]
  const filter = filterFor(query, form)
  const snapshot = query.page?.head ?? store.index.head()
  let rest: Page = query.page ?? { after: 0, until: snapshot, head: snapshot }
  let left = query.limit ?? Number.POSITIVE_INFINITY
  let more = true

  const advance = (rows: Row[], asked: number) => {
    more = rows.length > asked
    const last = rows[Math.min(asked, rows.length) - 1]
    if (last) rest = query.desc ? { ...rest, until: last.n - 1 } : { ...rest, after: last.n }
    return rows.slice(0, asked)
  }

  response.setHeader('content-type', 'application/json')
  await writer.write(`${JSON.stringify(head).slice(0, -1)},"${items}":[`)
  for (let first = true; more && left > 0; ) {
    const asked = Math.min(CHUNK, left)
    const rows = advance(store.index.rows(filter, { ...rest, limit: asked + 1, desc: query.desc }), asked)
    left -= rows.length
    const texts = await Promise.all(rows.map(async (row) => JSON.stringify(await itemOf(row, form, query, shown))))
    if (texts.length && !(await writer.write(`${first ? '' : ','}${texts.join(',')}`))) return
    first = false
  }
  const metadata = { resourceVersion: String(snapshot), continue: more ? encodePage(rest) : undefined }
  await writer.write(`],"metadata":${JSON.stringify(metadata)}}\n`)
  response.end()
}

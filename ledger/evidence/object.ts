import { LABEL_AGENT, LABEL_AGENT_ID } from '../../lib/api/names.ts'
import type { StoredReceipt } from '../store/record.ts'
import type { Row } from '../store/rows.ts'
import { EVIDENCE_API_VERSION, KIND } from './group.ts'

/** A UUID that says the same receipt each time: version 8 over the envelope's hash. */
const uidOf = (hash: string): string =>
  `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`

export const metadataOf = (row: Row) => ({
  name: row.name,
  namespace: row.namespace,
  uid: uidOf(row.hash),
  resourceVersion: String(row.n),
  creationTimestamp: new Date(row.time).toISOString().replace(/\.\d{3}Z$/, 'Z'),
  labels: { [LABEL_AGENT]: row.agent, [LABEL_AGENT_ID]: row.agent_id },
})

/** The Receipt a person gets: exactly the envelope and body the sidecar signed. */
export const toObject = (row: Row, { receipt }: StoredReceipt) => ({
  apiVersion: EVIDENCE_API_VERSION,
  kind: KIND,
  metadata: metadataOf(row),
  envelope: receipt.envelope,
  body: receipt.body,
})

export const toPartial = (row: Row) => ({
  apiVersion: 'meta.k8s.io/v1',
  kind: 'PartialObjectMetadata',
  metadata: metadataOf(row),
})

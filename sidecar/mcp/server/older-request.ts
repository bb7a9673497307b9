import { randomUUID } from 'node:crypto'
import type { Asked } from '../ports.ts'

/** A request of a modern server for an agent of the older revisions, which know an elicitation of a URL by an id. */
export const asOlderRequest = ({ method, params }: Asked): Asked =>
  method === 'elicitation/create' && params.mode === 'url'
    ? { method, params: { elicitationId: randomUUID(), ...params } }
    : { method, params }

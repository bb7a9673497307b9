import { EVIDENCE_GROUP, VERSION } from '../../lib/api/names.ts'

export const EVIDENCE_API_VERSION = `${EVIDENCE_GROUP}/${VERSION}`
export const RESOURCE = 'receipts'
export const KIND = 'Receipt'

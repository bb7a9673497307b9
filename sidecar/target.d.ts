import type { RemitModel, RemitServer } from '../lib/api/remit.ts'
import type { Credentials } from './context.ts'
import type { Target } from './upstream.ts'
/**
 * Where a declared server or model is, with its credential as it is at this moment. Throws
 * UserError(CredentialMissing) when one is declared and is not there: it would be called as somebody else.
 */
export declare const targetOf: (
  kind: 'server' | 'model',
  declared: RemitServer | RemitModel,
  credentials: Credentials,
) => Target

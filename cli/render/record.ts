import type { Receipt } from '../../lib/api/receipt.ts'
import { canonical, sha256hex } from '../../lib/core/canonical.ts'

/** Whether a receipt's body is what its envelope, which is signed, says. */
export const recordLine = ({ envelope, body }: Receipt): string =>
  sha256hex(canonical(body)) === envelope.body
    ? 'the body is the one the sidecar signed for'
    : 'WARNING: THE BODY DOES NOT MATCH ITS DIGEST'

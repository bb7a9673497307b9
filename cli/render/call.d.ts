import type { CallRecord, IntentBody, Receipt } from '../../lib/api/receipt.ts'
/** `billing/refund` or `POST chat/completions of main`. */
export declare const callName: (call: CallRecord) => string
/** The arguments on one line, cut to `width`, with control characters shown as escapes. */
export declare const callArguments: (call: CallRecord, width: number) => string
/** One phrase for what came of a call. */
export declare const outcome: (intent: IntentBody, closing: Receipt | undefined) => string
/** What a table has room for. */
export declare const shortOutcome: (intent: IntentBody, closing: Receipt | undefined) => string

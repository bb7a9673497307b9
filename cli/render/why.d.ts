import { type Receipt } from '../../lib/api/receipt.ts'
import type { IntentReceipt } from '../evidence/source.ts'
/** Who, what, why, under which rule and what came of it: at most twenty lines for the person paged at 2 a.m. */
export declare const renderWhy: (
  receipt: IntentReceipt,
  closing: Receipt | undefined,
  timelineCommand: string,
) => string

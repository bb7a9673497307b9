import { type Receipt } from '../../lib/api/receipt.ts'
/** One row a call, oldest first; restarts and new remits between them, because they explain what follows. */
export declare const timelineRows: (receipts: Receipt[]) => string[][]
export declare const renderTimeline: (receipts: Receipt[]) => string

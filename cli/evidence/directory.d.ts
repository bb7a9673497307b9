import { type ReceiptSource } from './source.ts'
/** Receipts of the directory that `remit gate --data DIR` writes. @throws UserError NotFound */
export declare const directoryReceipts: (dir: string) => ReceiptSource

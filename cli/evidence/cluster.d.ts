import type { Cluster } from '../context.ts'
import { type ReceiptSource } from './source.ts'
/** Receipts through the aggregated API, with the caller's own rights. */
export declare const clusterReceipts: ({ client, namespace }: Cluster) => ReceiptSource

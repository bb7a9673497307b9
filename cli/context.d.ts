import { type Client } from '../lib/kube/client.ts'
import type { CliConfig } from './config.ts'
/** What every command is handed. */
export interface CliContext {
  config: CliConfig
  now: () => number
  out: (text: string) => void
  err: (text: string) => void
}
/** kubectl's own flags, on every command that asks a cluster. */
export interface ClusterFlags {
  context?: string
  namespace?: string
  kubeconfig?: string
}
export interface Cluster {
  client: Client
  /** That of the flag, else the context's, else "default". */
  namespace: string
}
/** @throws UserError ClusterUnreachable when no kubeconfig can be read */
export declare const connect: (context: CliContext, flags: ClusterFlags) => Cluster

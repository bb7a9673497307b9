import { existsSync } from 'node:fs'
import { UserError } from '../lib/core/errors.ts'
import { type Client, createClient } from '../lib/kube/client.ts'
import { ConnectionError } from '../lib/kube/errors.ts'
import { loadKubeConfig } from '../lib/kube/kubeconfig.ts'
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
export const connect = (context: CliContext, flags: ClusterFlags): Cluster => {
  const files = (flags.kubeconfig ? [flags.kubeconfig] : context.config.kubeconfigs).filter((file) => existsSync(file))
  if (!files.length) throw new UserError('ClusterUnreachable', { detail: 'there is no kubeconfig' })
  try {
    const config = loadKubeConfig({ from: 'files', files, context: flags.context })
    const namespace = flags.namespace ?? config.getContextObject(config.getCurrentContext())?.namespace ?? 'default'
    return { client: createClient(config), namespace }
  } catch (error) {
    if (error instanceof ConnectionError) throw error
    throw new UserError('ClusterUnreachable', { detail: (error as Error).message })
  }
}

import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the tools keep what is expensive to make, and what they read from the environment. */
export type ToolsConfig = {
  /** Root of everything built or downloaded: `$REMIT_CACHE`, else `$XDG_CACHE_HOME/remit`, else `~/.cache/remit`. */
  cacheDir: string
  /** True when progress is written as plain lines: in CI, or when asked for by `REMIT_PLAIN=1`. */
  plain: boolean
  /** Where programs are looked for; the cluster's processes get the same. */
  path: string
  /** The user's own kubeconfig, read only when a context is named. */
  userKubeconfig: string
}

/** Reads the tools' settings. The only place under `tools/cluster`, `tools/images` and `tools/build` that reads the environment. */
export function toolsConfig(env: NodeJS.ProcessEnv = process.env): ToolsConfig {
  const cacheDir = env.REMIT_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'remit')
  return {
    cacheDir,
    plain: Boolean(env.CI) || env.REMIT_PLAIN === '1' || !process.stderr.isTTY,
    userKubeconfig: env.KUBECONFIG?.split(':')[0] || join(homedir(), '.kube', 'config'),
    path: env.PATH || '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  }
}

/** The repository's root folder. */
export const repoRoot = new URL('../../', import.meta.url).pathname.replace(/\/$/, '')

import { existsSync } from 'node:fs'
import { binaryPath } from './binaries.ts'
import { toolsConfig } from './config.ts'
import { kubectl } from './local/api.ts'
import { components } from './local/commands.ts'
import { layout, local } from './local/layout.ts'
import { residentMiB, runningPid } from './local/processes.ts'

/** The state of the local cluster as lines for a person, and whether it is up and healthy. */
export async function localStatus(): Promise<{ healthy: boolean; lines: string[] }> {
  const { cacheDir } = toolsConfig()
  const l = layout(cacheDir)
  if (!existsSync(l.state))
    return { healthy: false, lines: ['The local cluster is down. Bring it up with: npm run cluster:up'] }
  const rows = components.map((name) => ({ name, pid: runningPid(l, name) }))
  const lines = rows.map(
    ({ name, pid }) =>
      `${name.padEnd(24)} ${pid ? `running  pid ${String(pid).padEnd(8)} ${String(residentMiB(pid)).padStart(4)} MiB` : 'not running'}`,
  )
  lines.push(`${'total'.padEnd(24)} ${rows.reduce((sum, { pid }) => sum + (pid ? residentMiB(pid) : 0), 0)} MiB`)
  const k = kubectl(binaryPath('kubectl', cacheDir), l)
  const api = existsSync(l.kubeconfig) && (await k.ok(['get', '--raw', '/readyz', '--request-timeout=3s'], 5000))
  lines.push(`API server               ${api ? 'ready' : 'does not answer'}`)
  if (api) lines.push('', await k.run(['get', 'nodes', '-o', 'wide'], { allowFailure: true }))
  const complete = existsSync(l.ready)
  if (!complete) lines.push('', 'The last `up` did not finish; run it again, or `down`.')
  lines.push('', `kubectl --kubeconfig ${l.kubeconfig} --context ${local.context} get pods -A`, `Logs: ${l.logs}`)
  return { healthy: api && complete && rows.every(({ pid }) => pid !== undefined), lines }
}

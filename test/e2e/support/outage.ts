import { spawn } from 'node:child_process'
import { toolsConfig } from '../../../tools/cluster/config.ts'
import { layout } from '../../../tools/cluster/local/layout.ts'
import { runningPid, signal } from '../../../tools/cluster/local/processes.ts'

/**
 * Stops the local cluster's API server in the middle of whatever it does, for as long as `during` takes: connections
 * stay open and nothing answers. It goes on afterwards, at the latest after `maxSeconds`, even when this process is
 * killed meanwhile.
 */
export const withoutApiserver = async <T>(maxSeconds: number, during: () => Promise<T>): Promise<T> => {
  const pid = runningPid(layout(toolsConfig().cacheDir), 'kube-apiserver')
  if (pid === undefined) throw new Error('the local API server does not run')
  const guard = spawn('sh', ['-c', `sleep ${maxSeconds}; kill -CONT ${pid}`], { detached: true, stdio: 'ignore' })
  signal(pid, 'SIGSTOP')
  try {
    return await during()
  } finally {
    signal(pid, 'SIGCONT')
    // With its sleep: it leads a group of its own.
    if (guard.pid) process.kill(-guard.pid, 'SIGTERM')
  }
}

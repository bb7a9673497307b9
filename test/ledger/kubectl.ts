import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBinaries } from '../../tools/cluster/binaries.ts'
import type { Apiserver, User } from '../harness/apiserver.ts'

export interface Ran {
  code: number
  out: string
  err: string
}

/** The real kubectl as a person, with discovery caches of their own. */
export const kubectlAs = async (apiserver: Apiserver, user: User) => {
  const { kubectl } = await ensureBinaries(['kubectl'])
  const home = join(apiserver.dir, `home-${user.name}`)
  const kubeconfig = join(apiserver.dir, `kubeconfig-${user.name}`)
  rmSync(home, { recursive: true, force: true })
  writeFileSync(kubeconfig, await apiserver.kubeconfig({ user }), { mode: 0o600 })
  return (...args: string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const env = { PATH: process.env.PATH, HOME: home, KUBECONFIG: kubeconfig }
      const child = execFile(kubectl, args, { env, timeout: 20_000, maxBuffer: 64 * 1024 * 1024 }, (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, out, err }),
      )
      child.stdin?.end()
    })
}

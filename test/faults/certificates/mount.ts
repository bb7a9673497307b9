import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../../../lib/kube/client.ts'
import { createInformer } from '../../../lib/kube/informer.ts'
import { type Secret, secrets } from '../../../lib/kube/resources.ts'
import { createLogger } from '../../../lib/service/log.ts'

/**
 * Keeps a folder as the kubelet keeps a mounted Secret: the files are links through `..data`, which is swapped in one
 * step; a Secret that is gone leaves them as they are. Resolves once they are there.
 */
export const mountSecret = async (
  client: Client,
  target: { namespace: string; name: string },
  dir: string,
  signal: AbortSignal,
): Promise<void> => {
  let version = 0
  const write = ({ data = {} }: Secret) => {
    const next = `..version-${++version}`
    mkdirSync(join(dir, next), { recursive: true })
    for (const [name, value] of Object.entries(data))
      writeFileSync(join(dir, next, name), Buffer.from(value, 'base64'), { mode: 0o600 })
    symlinkSync(next, join(dir, '..new'))
    renameSync(join(dir, '..new'), join(dir, '..data'))
    if (version === 1) for (const name of Object.keys(data)) symlinkSync(join('..data', name), join(dir, name))
    rmSync(join(dir, `..version-${version - 1}`), { recursive: true, force: true })
  }
  const informer = createInformer<Secret>({
    client,
    kind: secrets,
    namespace: target.namespace,
    fieldSelector: `metadata.name=${target.name}`,
    log: createLogger({ part: 'mount', level: 'silent' }),
  })
  const mounted = new Promise<void>((resolve) => {
    informer.onChange(({ new: secret }) => {
      if (!secret) return
      write(secret)
      resolve()
    })
  })
  void informer.run(signal)
  await mounted
}

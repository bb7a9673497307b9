import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { archivedImages, buildImages } from '../images/build.ts'
import type { Progress } from '../progress.ts'
import { ensureBinaries } from './binaries.ts'
import type { Cluster } from './cluster.ts'
import { repoRoot } from './config.ts'
import { read, run } from './exec.ts'
import { kubectl } from './local/api.ts'
import { proveCanary } from './local/canary.ts'

const name = 'remit'

/** Where kind's kubeconfig is kept: in the cache, never in the user's own file. */
export const kindKubeconfig = (cacheDir: string) => join(cacheDir, 'clusters', 'kind', 'kubeconfig')

async function kindProgram(cacheDir: string, progress?: Progress): Promise<string> {
  const found = await run('sh', ['-c', 'command -v kind'], { allowFailure: true })
  return found.code === 0 ? found.stdout.trim() : (await ensureBinaries(['kind'], progress, cacheDir)).kind
}

/** Creates the kind cluster from kind-config.yaml if it is not there, and proves that its network enforces policies. */
export async function ensureKind(cacheDir: string, program: string, progress: Progress): Promise<Cluster> {
  const kind = await kindProgram(cacheDir, progress)
  const kubeconfig = kindKubeconfig(cacheDir)
  const context = `kind-${name}`
  mkdirSync(dirname(kubeconfig), { recursive: true })
  const k = kubectl(program, { kubeconfig }, context)
  const exists = (await read(kind, ['get', 'clusters'], { allowFailure: true })).split('\n').includes(name)
  const cluster: Cluster = {
    provider: 'kind',
    context,
    kubeconfig,
    kubectl: program,
    loadImages: (archives) => loadIntoKind(kind, archives),
  }
  if (exists) {
    await run(kind, ['export', 'kubeconfig', '--name', name, '--kubeconfig', kubeconfig])
    if (await k.ok(['get', '--raw', '/readyz'])) return cluster
    await run(kind, ['delete', 'cluster', '--name', name, '--kubeconfig', kubeconfig])
  }
  await progress.step('Create the kind cluster', 60, (say) =>
    run(
      kind,
      [
        'create',
        'cluster',
        '--name',
        name,
        '--config',
        join(repoRoot, 'kind-config.yaml'),
        '--kubeconfig',
        kubeconfig,
        '--wait',
        '120s',
      ],
      { onLine: say },
    ),
  )
  const images = await buildImages(['pause'], progress)
  await cluster.loadImages(images.map((image) => image.archive))
  await progress.step('Prove that a NetworkPolicy blocks', 10, (say) => proveCanary(k, say, images[0]!.ref))
  return cluster
}

/** Loads images into every node and tags them by digest there as well. */
async function loadIntoKind(kind: string, archives: readonly string[]): Promise<void> {
  for (const file of new Set(archives)) await run(kind, ['load', 'image-archive', file, '--name', name])
  for (const node of (await read(kind, ['get', 'nodes', '--name', name])).split('\n').filter(Boolean)) {
    for (const { ref, digestRef } of archives.flatMap(archivedImages)) {
      await run('docker', ['exec', node, 'ctr', '-n', 'k8s.io', 'images', 'tag', '--force', ref, digestRef])
    }
  }
}

/** Deletes the kind cluster. */
export async function deleteKind(cacheDir: string): Promise<void> {
  const kubeconfig = kindKubeconfig(cacheDir)
  await run(await kindProgram(cacheDir), ['delete', 'cluster', '--name', name, '--kubeconfig', kubeconfig])
  if (existsSync(kubeconfig)) await run('rm', ['-rf', dirname(kubeconfig)])
}

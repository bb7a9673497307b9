import { existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs'
import { freemem } from 'node:os'
import { join } from 'node:path'
import type { Progress } from '../progress.ts'
import { binaryPath, ensureBinaries, missingBinaries } from './binaries.ts'
import { toolsConfig } from './config.ts'
import { read, run } from './exec.ts'
import { deleteKind, ensureKind, kindKubeconfig } from './kind.ts'
import { kubectl } from './local/api.ts'
import { down } from './local/down.ts'
import { layout } from './local/layout.ts'
import { loadArchives } from './local/load.ts'
import { localBinaries, up } from './local/up.ts'
import { withLock } from './lock.ts'
import { installPackages, missingPackages } from './packages.ts'
import { chooseProvider, explain, type Facts, type ProviderName, preflight } from './preflight.ts'
import type { BinaryName } from './recipes.ts'
import { markedProcesses } from './snapshot.ts'

/** Which cluster is wanted. Without anything: kind where Docker answers, otherwise the local one. */
export type ClusterOptions = {
  /** An existing cluster by the name of its context in the user's kubeconfig. Never used unless named. */
  context?: string
  provider?: 'local' | 'kind'
}

/** A cluster that is ready for use. */
export type Cluster = {
  provider: ProviderName
  context: string
  /** Path of a kubeconfig that has the context. */
  kubeconfig: string
  /** Path of our own kubectl. */
  kubectl: string
  /** Makes the images of archives that `buildImages` wrote known to the nodes, under `ref` and `digestRef`. With an existing cluster that takes a registry, so it throws. */
  loadImages(archives: readonly string[]): Promise<void>
}

/** A machine or request that does not fit; its message is for a person and complete. */
export class CannotSetUp extends Error {}

const binariesFor: Record<ProviderName, readonly BinaryName[]> = {
  local: localBinaries,
  kind: ['kubectl'],
  context: ['kubectl'],
}

const dockerAnswers = async () =>
  (await run('docker', ['info'], { allowFailure: true, timeoutMs: 10_000 }).catch(() => ({ code: 1 }))).code === 0
const present = async (program: string) =>
  (await run('sh', ['-c', `command -v ${program}`], { allowFailure: true })).code === 0

/** Looks at this machine for `preflight` and changes nothing. */
export async function gatherFacts(provider: ProviderName, docker: boolean): Promise<Facts> {
  const { cacheDir } = toolsConfig()
  const needed: BinaryName[] = [...binariesFor[provider]]
  if (provider === 'kind' && !(await present('kind'))) needed.push('kind')
  const go = /go(\d+\.\d+)/.exec(await read('go', ['version'], { allowFailure: true }).catch(() => ''))?.[1]
  const disk = statfsSync(cacheDir)
  const l = layout(cacheDir)
  const kubelets = (await run('pgrep', ['-x', 'kubelet'], { allowFailure: true }).catch(() => ({ stdout: '' }))).stdout
    .split('\n')
    .filter(Boolean)
    .map(Number)
  const ours = new Set(markedProcesses(`REMIT_LOCAL_CLUSTER=${l.state}`).map(({ pid }) => pid))
  return {
    platform: process.platform,
    root: process.getuid?.() === 0,
    go,
    docker,
    apt: await present('apt-get'),
    missingPackages: provider === 'local' ? await missingPackages() : [],
    missingBinaries: missingBinaries(needed, cacheDir),
    foreignKubelet: kubelets.some((pid) => !ours.has(pid)),
    running: kubelets.some((pid) => ours.has(pid)),
    freeMiB: availableMiB(),
    freeDiskMiB: Math.round((disk.bavail * disk.bsize) / 1_048_576),
  }
}

function availableMiB(): number {
  const available = /^MemAvailable:\s+(\d+)/m.exec(
    existsSync('/proc/meminfo') ? readFileSync('/proc/meminfo', 'utf8') : '',
  )?.[1]
  return Math.round(available ? Number(available) / 1024 : freemem() / 1_048_576)
}

/**
 * Says what keeps this machine from having the wanted cluster, before anything is changed.
 * @throws CannotSetUp
 */
export async function checkMachine(options: ClusterOptions): Promise<void> {
  const { cacheDir } = toolsConfig()
  makeCache(cacheDir)
  const { provider, docker } = await wantedProvider(options)
  await withLock(join(cacheDir, 'locks', `cluster-${provider}`), () => refuseObstacles(provider, docker))
}

function makeCache(cacheDir: string): void {
  try {
    mkdirSync(cacheDir, { recursive: true })
  } catch (error) {
    throw new CannotSetUp(
      `The cache cannot be made: ${(error as Error).message}. Set REMIT_CACHE to a folder that can be written.`,
    )
  }
}

async function wantedProvider(options: ClusterOptions): Promise<{ provider: ProviderName; docker: boolean }> {
  const docker = options.context || options.provider === 'local' ? false : await dockerAnswers()
  return { provider: chooseProvider(options, docker), docker }
}

// Under the provider's lock: while another process takes a cluster down, its dying kubelet would look like a stranger's.
async function refuseObstacles(provider: ProviderName, docker: boolean): Promise<void> {
  const obstacles = preflight(provider, await gatherFacts(provider, docker))
  if (obstacles.length > 0) throw new CannotSetUp(explain(provider, obstacles))
}

/** Brings the wanted cluster up (a second when it is up already) and proves once per start that it enforces NetworkPolicy. */
export async function ensureCluster(options: ClusterOptions, progress: Progress): Promise<Cluster> {
  const config = toolsConfig()
  makeCache(config.cacheDir)
  const { provider, docker } = await wantedProvider(options)
  return withLock(join(config.cacheDir, 'locks', `cluster-${provider}`), async () => {
    await refuseObstacles(provider, docker)
    if (provider === 'local') return ensureLocal(config.cacheDir, config.path, progress)
    const { kubectl: program } = await ensureBinaries(['kubectl'], progress, config.cacheDir)
    if (provider === 'kind') return ensureKind(config.cacheDir, program, progress)
    return existing(options.context!, program, config.userKubeconfig)
  })
}

async function ensureLocal(cacheDir: string, path: string, progress: Progress): Promise<Cluster> {
  await installPackages(await missingPackages(), progress)
  const { kubeconfig, context } = await up(cacheDir, path, progress)
  return {
    provider: 'local',
    context,
    kubeconfig,
    kubectl: binaryPath('kubectl', cacheDir),
    loadImages: (archives) => loadArchives(layout(cacheDir), archives),
  }
}

async function existing(context: string, program: string, kubeconfig: string): Promise<Cluster> {
  const k = kubectl(program, { kubeconfig }, context)
  if (!(await k.ok(['get', '--raw', '/readyz', '--request-timeout=10s'], 15_000))) {
    throw new CannotSetUp(
      `The cluster of context "${context}" in ${kubeconfig} does not answer. Check it with: kubectl --context ${context} get nodes`,
    )
  }
  return {
    provider: 'context',
    context,
    kubeconfig,
    kubectl: program,
    loadImages: async () => {
      throw new CannotSetUp(
        'An existing cluster takes its images from a registry. Push them first: npm run images -- --push REGISTRY/PREFIX',
      )
    },
  }
}

/** Takes down what `ensureCluster` brought up. An existing cluster is left alone. */
export async function downCluster(options: ClusterOptions, progress: Progress): Promise<void> {
  const { cacheDir } = toolsConfig()
  if (options.context) return
  const provider = options.provider ?? (existsSync(kindKubeconfig(cacheDir)) ? 'kind' : 'local')
  await withLock(join(cacheDir, 'locks', `cluster-${provider}`), () =>
    progress.step(`Take the ${provider} cluster down`, 3, () =>
      provider === 'kind' ? deleteKind(cacheDir) : down(cacheDir),
    ),
  )
}

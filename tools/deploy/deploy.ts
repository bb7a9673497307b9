import { chownSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ensureBinaries } from '../cluster/binaries.ts'
import { CannotSetUp, type Cluster } from '../cluster/cluster.ts'
import { repoRoot } from '../cluster/config.ts'
import { run } from '../cluster/exec.ts'
import { buildImages } from '../images/build.ts'
import { pushImages } from '../images/push.ts'
import type { Progress } from '../progress.ts'

export const SYSTEM_NAMESPACE = 'remit-system'
const PARTS = ['operator', 'webhook', 'ledger', 'sidecar'] as const
const FIXTURES = ['demo-billing', 'demo-agent', 'demo-everything'] as const
/** As which the ledger's container runs. */
const LEDGER_USER = 65_532
const STORAGE_CLASS = 'remit-local'
/** The fixtures name their images by it. */
const LOCAL_PREFIX = 'remit.local'
const TAG = 'dev'
const NO_REGISTRY =
  'An existing cluster takes its images from a registry: add --registry REGISTRY/PREFIX, which docker or buildah can push to.'
const CHART = join(repoRoot, 'charts/remit')

/** Where the cluster finds the images: `<prefix>/<name>`, and the digest of each. */
export interface Images {
  prefix: string
  digests: Record<string, string>
}

/**
 * Builds what changed, and `more` images, and makes them known to the cluster: its nodes are handed the archive; an
 * existing cluster pulls from `registry`, to which the images are pushed.
 */
export const provideImages = async (
  cluster: Cluster,
  progress: Progress,
  registry?: string,
  more: readonly string[] = [],
): Promise<Images> => {
  const names = [...PARTS, ...FIXTURES, ...more]
  if (cluster.provider === 'context') {
    if (!registry) throw new CannotSetUp(NO_REGISTRY)
    const pushed = await pushImages(names, registry, TAG, progress)
    const digests = pushed.map((ref, index) => [names[index], ref.split('@')[1] ?? ''])
    return { prefix: registry.replace(/\/$/, ''), digests: Object.fromEntries(digests) }
  }
  const images = await buildImages(names, progress)
  await progress.step('Load the images', 5, () => cluster.loadImages(images.map(({ archive }) => archive)))
  return { prefix: LOCAL_PREFIX, digests: Object.fromEntries(images.map(({ name, digest }) => [name, digest])) }
}

/** Helm values that name those images; one webhook is enough for one node. */
const valuesFor = ({ prefix, digests }: Images): string[] => {
  const parts = PARTS.flatMap((part) => ['--set', `images.${part}.digest=${digests[part]}`])
  return ['--set', `image.prefix=${prefix}`, '--set', 'webhook.replicas=1', ...parts]
}

/** The local cluster has nothing that makes volumes, so the ledger's is made here; it goes with the cluster. */
const ensureVolume = async (cluster: Cluster): Promise<string[]> => {
  if (cluster.provider !== 'local') return []
  const path = join(dirname(cluster.kubeconfig), 'volumes', 'ledger')
  mkdirSync(path, { recursive: true })
  chownSync(path, LEDGER_USER, LEDGER_USER)
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'remit-ledger' },
    spec: {
      capacity: { storage: '10Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: STORAGE_CLASS,
      hostPath: { path },
    },
  }
  const where = ['--kubeconfig', cluster.kubeconfig, '--context', cluster.context]
  await run(cluster.kubectl, [...where, 'apply', '-f', '-'], { input: JSON.stringify(volume) })
  return ['--set', `ledger.persistence.storageClassName=${STORAGE_CLASS}`]
}

/** Runs Helm against that cluster. */
export const helm = async (cluster: Cluster, args: string[]): Promise<string> => {
  const { helm: program } = await ensureBinaries(['helm'])
  const where = ['--kubeconfig', cluster.kubeconfig, '--kube-context', cluster.context, '--namespace', SYSTEM_NAMESPACE]
  return (await run(program, [...args, ...where])).stdout
}

/** Installs the chart, or upgrades what is there, and waits until its parts are ready. */
export const installChart = async (
  cluster: Cluster,
  images: Images,
  progress: Progress,
  values: string[] = [],
): Promise<void> => {
  const args = ['upgrade', '--install', 'remit', CHART, '--create-namespace', '--wait', '--timeout', '5m']
  await progress.step('Install the chart', 20, async () =>
    helm(cluster, [...args, ...valuesFor(images), ...(await ensureVolume(cluster)), ...values]),
  )
}

/** The files of the company, in the order in which they are applied. */
export const companyFiles = (): string[] => {
  const dir = join(repoRoot, 'test/fixtures/company')
  const names = readdirSync(dir).filter((name) => name.endsWith('.yaml'))
  return names.sort().map((name) => join(dir, name))
}

/** Applies the company: two teams, their owner groups, policies, servers and agents. */
export const applyCompany = async (cluster: Cluster, { prefix }: Images): Promise<void> => {
  const texts = companyFiles().map((file) => readFileSync(file, 'utf8').replaceAll(`${LOCAL_PREFIX}/`, `${prefix}/`))
  const where = ['--kubeconfig', cluster.kubeconfig, '--context', cluster.context]
  await run(cluster.kubectl, [...where, 'apply', '-f', '-'], { input: texts.join('\n---\n') })
}

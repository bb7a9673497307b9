import { chownSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ensureBinaries } from '../cluster/binaries.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { repoRoot } from '../cluster/config.ts'
import { run } from '../cluster/exec.ts'
import { buildImages, type Image } from '../images/build.ts'
import type { Progress } from '../progress.ts'

export const SYSTEM_NAMESPACE = 'remit-system'
const PARTS = ['operator', 'webhook', 'ledger', 'sidecar'] as const
const FIXTURES = ['demo-billing', 'demo-agent', 'demo-everything'] as const
/** As which the ledger's container runs. */
const LEDGER_USER = 65_532
const STORAGE_CLASS = 'remit-local'
const CHART = join(repoRoot, 'charts/remit')

/** Builds what changed and makes it known to the cluster's nodes. */
export const loadImages = async (cluster: Cluster, progress: Progress): Promise<Image[]> => {
  const images = await buildImages([...PARTS, ...FIXTURES], progress)
  await progress.step('Load the images', 5, () => cluster.loadImages(images.map(({ archive }) => archive)))
  return images
}

/** Helm values that name the images just built; one webhook is enough for one node. */
const valuesFor = (images: Image[]): string[] => {
  const digests = PARTS.flatMap((part) => {
    const { digest } = images.find((image) => image.name === part) as Image
    return ['--set', `images.${part}.digest=${digest}`]
  })
  return ['--set', 'image.prefix=remit.local', '--set', 'webhook.replicas=1', ...digests]
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
  images: Image[],
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
export const applyCompany = async (cluster: Cluster): Promise<void> => {
  const files = companyFiles().flatMap((file) => ['-f', file])
  await run(cluster.kubectl, ['--kubeconfig', cluster.kubeconfig, '--context', cluster.context, 'apply', ...files])
}

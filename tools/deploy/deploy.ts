import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBinaries } from '../cluster/binaries.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { repoRoot } from '../cluster/config.ts'
import { run } from '../cluster/exec.ts'
import { buildImages, type Image } from '../images/build.ts'
import type { Progress } from '../progress.ts'

export const SYSTEM_NAMESPACE = 'remit-system'
const PARTS = ['operator', 'webhook', 'ledger', 'sidecar'] as const
const FIXTURES = ['demo-billing', 'demo-agent', 'demo-everything'] as const
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
  await progress.step('Install the chart', 20, () => helm(cluster, [...args, ...valuesFor(images), ...values]))
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

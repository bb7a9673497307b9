import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBinaries } from '../cluster/binaries.ts'
import { repoRoot } from '../cluster/config.ts'
import { run } from '../cluster/exec.ts'
import { buildImages, type Image } from '../images/build.ts'
import type { Progress } from '../progress.ts'

/** The cluster to work on, as `ensureCluster` gives it. */
export interface Target {
  context: string
  kubeconfig: string
  loadImages(archives: string[]): Promise<void>
}

export const SYSTEM_NAMESPACE = 'remit-system'
const PARTS = ['operator', 'webhook', 'ledger', 'sidecar'] as const
const FIXTURES = ['demo-billing', 'demo-agent', 'demo-everything'] as const

/** Helm values that name the images just built; one webhook replica is enough for one node. */
const valuesFor = (images: Image[], extra: string[]): string[] => {
  const of = (name: string) => images.find((image) => image.name === name) as Image
  const prefix = of('sidecar').ref.slice(0, of('sidecar').ref.lastIndexOf('/'))
  const digests = PARTS.flatMap((part) => ['--set', `images.${part}.digest=${of(part).digest}`])
  return ['--set', `image.prefix=${prefix}`, '--set', 'webhook.replicas=1', ...digests, ...extra]
}

/** Builds what changed, loads it, and installs or upgrades the chart; returns the images. */
export const deploy = async (
  target: Target,
  progress: Progress,
  options: { values?: string[]; fixtures?: boolean } = {},
): Promise<Image[]> => {
  const images = await progress.step('Building images', 20, () =>
    buildImages([...PARTS, ...(options.fixtures === false ? [] : FIXTURES)]),
  )
  await progress.step('Loading images', 10, () => target.loadImages(images.map((image) => image.archive)))
  const { helm } = await ensureBinaries(['helm'])
  await progress.step('Installing the chart', 30, async () => {
    await run(helm, [
      ...[
        'upgrade',
        '--install',
        'remit',
        join(repoRoot, 'charts/remit'),
        '--namespace',
        SYSTEM_NAMESPACE,
        '--create-namespace',
      ],
      ...['--kubeconfig', target.kubeconfig, '--kube-context', target.context, '--wait', '--timeout', '5m'],
      ...valuesFor(images, options.values ?? []),
    ])
  })
  return images
}

/** The files of the company, in the order they are applied in. */
export const companyFiles = (): string[] => {
  const dir = join(repoRoot, 'test/fixtures/company')
  return readdirSync(dir)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(dir, name))
}

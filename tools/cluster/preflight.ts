/** What a machine has, as far as setting up a cluster needs it. */
export type Facts = {
  platform: string
  root: boolean
  /** `go version` as 1.26, or undefined without Go. */
  go?: string
  /** True where `docker info` answers. */
  docker: boolean
  /** True where apt-get can install packages. */
  apt: boolean
  /** Debian packages that are not installed yet. */
  missingPackages: string[]
  /** Programs that have to be built first. */
  missingBinaries: string[]
  /** A kubelet that is not ours runs here: packet filter and cgroups would be shared with it. */
  foreignKubelet: boolean
  /** Our own cluster runs already, so what it takes is not free any more. */
  running: boolean
  freeMiB: number
  freeDiskMiB: number
}

/** Where the cluster comes from. */
export type ProviderName = 'local' | 'kind' | 'context'

/** A thing that stands in the way, and what a person does about it. */
export type Obstacle = { problem: string; remedy: string }

/** The oldest Go that all pinned modules build with. */
export const oldestGo = '1.26'

const olderThan = (version: string, wanted: string) => {
  const [a = 0, b = 0] = version.split('.').map(Number)
  const [x = 0, y = 0] = wanted.split('.').map(Number)
  return a < x || (a === x && b < y)
}

/** Which provider is used: the context that was named, the one asked for, kind where Docker answers, otherwise local. Pure. */
export function chooseProvider(
  asked: { context?: string; provider?: 'local' | 'kind' },
  docker: boolean,
): ProviderName {
  if (asked.context) return 'context'
  return asked.provider ?? (docker ? 'kind' : 'local')
}

/** Everything that would stop `up` with this provider, told before anything is changed. Pure; empty when it can go ahead. */
export function preflight(provider: ProviderName, facts: Facts): Obstacle[] {
  const obstacles: Obstacle[] = []
  const add = (when: boolean, problem: string, remedy: string) => {
    if (when) obstacles.push({ problem, remedy })
  }
  const needsGo = facts.missingBinaries.length > 0
  add(
    facts.platform !== 'linux',
    `This is ${facts.platform}, not Linux.`,
    'Use a Linux machine, or name a cluster you have: -- --context NAME',
  )
  add(
    needsGo && !facts.go,
    `Go is not installed, and has to build ${facts.missingBinaries.join(', ')}.`,
    `Install Go ${oldestGo} or newer (https://go.dev/dl) and put it on PATH.`,
  )
  add(
    needsGo && facts.go !== undefined && olderThan(facts.go, oldestGo),
    `Go ${facts.go} is too old to build ${facts.missingBinaries.join(', ')}.`,
    `Install Go ${oldestGo} or newer (https://go.dev/dl).`,
  )
  if (provider === 'kind')
    add(
      !facts.docker,
      'Docker does not answer.',
      'Start Docker, or use the local provider as root: -- --provider local',
    )
  if (provider !== 'local') return obstacles
  add(
    !facts.root,
    'The local cluster needs root.',
    'Run it with sudo, install Docker for kind, or name a cluster you have: -- --context NAME',
  )
  add(
    facts.missingPackages.length > 0 && !facts.apt,
    `These Debian packages are missing and there is no apt-get: ${facts.missingPackages.join(' ')}.`,
    "Install your distribution's equivalents, or install Docker for kind.",
  )
  add(
    facts.foreignKubelet,
    'Another kubelet runs on this machine.',
    'Use its cluster by name (-- --context NAME), or stop it: two cannot share one packet filter.',
  )
  if (facts.running) return obstacles
  add(
    facts.freeMiB < 1500,
    `Only ${facts.freeMiB} MiB of memory are free; the cluster takes about 1000.`,
    'Free some memory.',
  )
  add(
    facts.freeDiskMiB < (needsGo ? 8000 : 1000),
    `Only ${facts.freeDiskMiB} MiB of disk are free below the cache; ${needsGo ? 'building takes 8000' : 'it takes 1000'}.`,
    'Free some disk, or set REMIT_CACHE to a folder on a larger one.',
  )
  return obstacles
}

/** Obstacles as a person reads them. */
export function explain(provider: ProviderName, obstacles: readonly Obstacle[]): string {
  const lines = obstacles.flatMap(({ problem, remedy }) => [`  - ${problem}`, `    ${remedy}`])
  return [`The ${provider} cluster cannot be set up here; nothing was changed.`, ...lines].join('\n')
}

import { describe, expect, it } from 'vitest'
import { chooseProvider, explain, type Facts, type ProviderName, preflight } from './preflight.ts'

const good: Facts = {
  platform: 'linux',
  root: true,
  go: '1.26',
  docker: false,
  apt: true,
  missingPackages: ['containerd'],
  missingBinaries: ['etcd'],
  foreignKubelet: false,
  running: false,
  freeMiB: 4000,
  freeDiskMiB: 20_000,
}

const table: [string, ProviderName, Partial<Facts>, RegExp[]][] = [
  ['a fresh Debian with root and Go', 'local', {}, []],
  ['no root', 'local', { root: false }, [/needs root/]],
  ['no root, kind', 'kind', { root: false, docker: true }, []],
  ['kind without Docker', 'kind', {}, [/Docker does not answer/]],
  ['no Go and something to build', 'local', { go: undefined }, [/Go is not installed/]],
  ['no Go, everything built', 'local', { go: undefined, missingBinaries: [] }, []],
  ['Go too old', 'local', { go: '1.19' }, [/1\.19 is too old/]],
  ['Go of the next decade', 'local', { go: '2.0' }, []],
  ['no apt-get, packages missing', 'local', { apt: false }, [/no apt-get: containerd/]],
  ['no apt-get, nothing missing', 'local', { apt: false, missingPackages: [] }, []],
  ['another kubelet', 'local', { foreignKubelet: true }, [/Another kubelet/]],
  ['little memory and disk', 'local', { freeMiB: 300, freeDiskMiB: 2000 }, [/memory/, /disk/]],
  ['little memory, because our cluster runs', 'local', { freeMiB: 300, running: true }, []],
  ['little disk, nothing to build', 'local', { freeDiskMiB: 2000, missingBinaries: [] }, []],
  ['an existing cluster, no root', 'context', { root: false, apt: false, missingBinaries: [] }, []],
  ['not Linux, several problems at once', 'local', { platform: 'darwin', root: false }, [/not Linux/, /needs root/]],
]

describe('preflight', () => {
  it.each(table)('%s', (_name, provider, facts, expected) => {
    const problems = preflight(provider, { ...good, ...facts }).map((obstacle) => obstacle.problem)
    expect(problems).toHaveLength(expected.length)
    for (const [index, pattern] of expected.entries()) expect(problems[index]).toMatch(pattern)
  })

  it('tells every problem with what to do', () => {
    const text = explain('local', preflight('local', { ...good, root: false }))
    expect(text).toContain('nothing was changed')
    expect(text).toContain('sudo')
  })
})

describe('chooseProvider', () => {
  it.each([
    [{}, false, 'local'],
    [{}, true, 'kind'],
    [{ provider: 'local' as const }, true, 'local'],
    [{ context: 'prod' }, true, 'context'],
    [{ context: 'prod', provider: 'local' as const }, false, 'context'],
  ])('%o with Docker %s: %s', (asked, docker, expected) => {
    expect(chooseProvider(asked, docker)).toBe(expected)
  })
})

import type { Progress } from '../progress.ts'
import { run } from './exec.ts'
import { versions } from './versions.ts'

/** Debian packages that the local cluster runs on. */
export const debianPackages = [
  'busybox-static',
  `clang-${versions.llvm}`,
  'conntrack',
  'containerd',
  'containernetworking-plugins',
  'ipset',
  'iproute2',
  'iptables',
  `llvm-${versions.llvm}`,
  'nftables',
  'runc',
  'socat',
]

/** The packages of the list that are not installed. On a machine without dpkg that is all of them. */
export async function missingPackages(names: readonly string[] = debianPackages): Promise<string[]> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
  const query = await run('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Package}\n', ...names], {
    allowFailure: true,
  }).catch(() => undefined)
  const installed = new Set(
    (query?.stdout ?? '')
      .split('\n')
      .filter((line) => line.startsWith('installed '))
      .map((line) => line.slice('installed '.length)),
  )
  return names.filter((name) => !installed.has(name))
}

/** Installs packages; the package index is fetched only when it does not know one of them or a file has moved. */
export async function installPackages(names: readonly string[], progress: Progress): Promise<void> {
  if (names.length === 0) return
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const install = (say: (line: string) => void, allowFailure: boolean) =>
    run('apt-get', ['install', '-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', ...names], {
      env,
      allowFailure,
      onLine: say,
    })
  await progress.step(`Install Debian packages: ${names.join(' ')}`, 30, async (say) => {
    if ((await install(say, true)).code === 0) return
    await run('apt-get', ['update', '-q'], { env, onLine: say })
    await install(say, false)
  })
}

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './exec.ts'

/** The parts of a machine that a cluster touches, each a sorted list of lines that can be compared. */
export type Snapshot = Record<(typeof snapshotParts)[number], string[]>

/** What a snapshot holds, in the order in which differences are told. */
export const snapshotParts = [
  'processes',
  'mounts',
  'links',
  'addresses',
  'routes',
  'rules',
  'iptables',
  'nftTables',
  'ipsets',
  'netns',
  'bpfPrograms',
  'bpfMaps',
  'bpfPins',
  'cgroups',
  'paths',
  'sysctls',
] as const

/** Folders that kubelet, containerd, CNI plugins or Cilium make outside of the cluster's own. */
export const sharedPaths = [
  '/etc/cni',
  '/opt/cni',
  '/opt/containerd',
  '/run/cilium',
  '/run/containerd',
  '/run/netns',
  '/run/remit-local',
  '/sys/fs/bpf/cilium',
  '/usr/libexec/kubernetes',
  '/var/lib/cilium',
  '/var/lib/cni',
  '/var/lib/containerd',
  '/var/lib/kubelet',
  '/var/log/containers',
  '/var/log/pods',
]

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .sort()

const listing = async (command: string, args: string[]) =>
  lines((await run(command, args, { allowFailure: true }).catch(() => ({ stdout: '' }))).stdout)

/** Command lines of the processes that carry `marker` (`NAME=value`) in their environment, with their process ids. */
export function markedProcesses(marker: string): { pid: number; command: string }[] {
  const found = []
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      if (!`\0${readFileSync(`/proc/${entry}/environ`, 'latin1')}`.includes(`\0${marker}\0`)) continue
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').filter(Boolean).slice(0, 2).join(' ')
      if (command) found.push({ pid: Number(entry), command })
    } catch {
      // It ended while we were looking, or is not ours to see.
    }
  }
  return found
}

function containerProcesses(): string[] {
  const found: string[] = []
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0')[0] ?? ''
      const inPod = readFileSync(`/proc/${entry}/cgroup`, 'utf8').includes('kubepods')
      if (inPod || /(^|\/)(containerd|containerd-shim-runc-v2|runc|cilium-\w+|kubelet|kube-proxy)$/.test(command))
        found.push(command)
    } catch {
      // It ended while we were looking.
    }
  }
  return found.sort()
}

// Lists what the kernel holds by bpf(2): also programs that no process and no pin refers to any more by name.
const bpfIds = `
import ctypes, platform, struct, sys
number = {'x86_64': 321, 'aarch64': 280}[platform.machine()]
libc = ctypes.CDLL(None, use_errno=True)
for name, command in (('prog', 11), ('map', 12)):
    last = 0
    while True:
        attr = ctypes.create_string_buffer(struct.pack('III', last, 0, 0), 12)
        if libc.syscall(number, command, attr, 12) != 0: break
        last = struct.unpack('III', attr.raw)[1]
        print(name, last)
`

function sysctls(): string[] {
  const found: string[] = []
  const walk = (dir: string) => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name)
      if (entry.isDirectory()) walk(path)
      else {
        try {
          found.push(`${path.slice('/proc/sys/'.length)}=${readFileSync(path, 'utf8').trim().replaceAll(/\s+/g, ' ')}`)
        } catch {
          // Some are write-only.
        }
      }
    }
  }
  for (const dir of ['net/ipv4/conf', 'net/ipv6/conf', 'net/bridge', 'vm'])
    if (existsSync(`/proc/sys/${dir}`)) walk(`/proc/sys/${dir}`)
  for (const name of [
    'net/ipv4/ip_forward',
    'net/core/bpf_jit_enable',
    'net/core/default_qdisc',
    'net/core/fb_tunnels_only_for_init_net',
    'net/ipv4/ip_early_demux',
    'net/ipv4/tcp_congestion_control',
    'kernel/panic',
    'kernel/panic_on_oops',
    'kernel/keys/root_maxkeys',
    'kernel/keys/root_maxbytes',
    'kernel/timer_migration',
    'kernel/unprivileged_bpf_disabled',
    'net/netfilter/nf_conntrack_max',
    'net/netfilter/nf_conntrack_tcp_timeout_close_wait',
    'net/netfilter/nf_conntrack_tcp_timeout_established',
    'net/netfilter/nf_conntrack_tcp_be_liberal',
  ]) {
    if (existsSync(`/proc/sys/${name}`)) found.push(`${name}=${readFileSync(`/proc/sys/${name}`, 'utf8').trim()}`)
  }
  return found.sort()
}

/** Our folders of containers in each cgroup hierarchy (one with cgroup v2, one a controller with v1). */
export function containerCgroups(): string[] {
  const root = '/sys/fs/cgroup'
  const hierarchies = [
    root,
    ...readdirSync(root, { withFileTypes: true })
      .filter((e) => e.isDirectory())
      .map((e) => join(root, e.name)),
  ]
  return hierarchies
    .flatMap((dir) =>
      readdirSync(dir, { withFileTypes: true })
        .filter((e) => e.isDirectory())
        .map((e) => join(dir, e.name)),
    )
    .filter((dir) => /\/(kubepods|kubelet|k8s\.io|system\.slice:|remit)/.test(dir))
    .sort()
}

/** Looks at the machine. Takes well under a second and changes nothing. */
export async function takeSnapshot(): Promise<Snapshot> {
  const [links, addresses, routes, rules, v4, v6, nft, ipsets, netns, bpf] = await Promise.all([
    listing('ip', ['-o', 'link', 'show']),
    listing('ip', ['-o', 'addr', 'show']),
    listing('ip', ['route', 'show', 'table', 'all']),
    listing('ip', ['rule', 'show']),
    listing('iptables-save', []),
    listing('ip6tables-save', []),
    listing('nft', ['list', 'tables']),
    listing('ipset', ['list', '-n']),
    listing('ip', ['netns', 'list']),
    listing('python3', ['-c', bpfIds]),
  ])
  const plain = (list: string[], prefix: string) =>
    list.filter((line) => !line.startsWith('#')).map((line) => prefix + line.replace(/ ?\[\d+:\d+\]/, ''))
  return {
    processes: containerProcesses(),
    mounts: lines(readFileSync('/proc/self/mountinfo', 'utf8'))
      .map((line) => line.split(' ')[4] ?? '')
      .sort(),
    links: links.map((line) => line.split(': ')[1]?.split('@')[0] ?? '').sort(),
    addresses: addresses.map((line) => line.split(/\s+/).slice(1, 4).join(' ')).sort(),
    routes: routes.map((line) => line.replace(/expires \S+/, '').trim()),
    rules,
    iptables: [...plain(v4, '4 '), ...plain(v6, '6 ')].sort(),
    nftTables: nft,
    ipsets,
    netns: netns.map((line) => line.split(' ')[0] ?? ''),
    bpfPrograms: bpf.filter((line) => line.startsWith('prog')),
    bpfMaps: bpf.filter((line) => line.startsWith('map')),
    bpfPins: existsSync('/sys/fs/bpf') ? readdirSync('/sys/fs/bpf').sort() : [],
    cgroups: containerCgroups(),
    paths: sharedPaths.filter((path) => existsSync(path)),
    sysctls: sysctls(),
  }
}

/** What differs between two snapshots, one line each: `+ links remit0`, `- rules ...`. Empty when nothing does. */
export function compareSnapshots(before: Snapshot, after: Snapshot): string[] {
  return snapshotParts.flatMap((part) => {
    const extra = subtract(after[part], before[part]).map((line) => `+ ${part} ${line}`)
    return [...subtract(before[part], after[part]).map((line) => `- ${part} ${line}`), ...extra]
  })
}

// Counts matter: the same rule twice is not the same as once.
function subtract(from: string[], what: string[]): string[] {
  const rest = [...what]
  return from.filter((line) => {
    const at = rest.indexOf(line)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

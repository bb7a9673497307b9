import { writeFileSync } from 'node:fs'
import { run } from '../exec.ts'
import { type Snapshot, takeSnapshot } from '../snapshot.ts'
import { local } from './layout.ts'

/** Makes the bridge that carries the node's address, if it is not there. */
export async function ensureBridge(): Promise<void> {
  const { code } = await run('ip', ['link', 'show', local.bridge], { allowFailure: true })
  if (code !== 0) await run('ip', ['link', 'add', local.bridge, 'type', 'bridge'])
  await run('ip', ['addr', 'replace', `${local.nodeIP}/24`, 'dev', local.bridge])
  await run('ip', ['link', 'set', local.bridge, 'up'])
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
}

/** Chains that Kubernetes, Cilium and the portmap plugin make. */
const ours = /^(KUBE|CILIUM|OLD_CILIUM|CNI)[-_]/

/** A chain or rule as `iptables-save` prints it, in its table. */
type TableLine = { table: string; line: string }

function parseSave(save: string): TableLine[] {
  let table = ''
  const found: TableLine[] = []
  for (const line of save.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1)
    else if (line.startsWith(':') || line.startsWith('-A')) found.push({ table, line })
  }
  return found
}

/**
 * What to give to `iptables-restore --noflush` so that every chain of ours and every rule that mentions one is gone.
 * `keep` are chains that were there before us. Pure; empty when there is nothing to do.
 */
export function iptablesCleanup(save: string, keep: ReadonlySet<string>): string {
  const parsed = parseSave(save)
  const chainsOf = (table: string) =>
    parsed
      .filter((entry) => entry.table === table && entry.line.startsWith(':'))
      .map(({ line }) => line.slice(1).split(' ')[0] ?? '')
      .filter((chain) => ours.test(chain) && !keep.has(`${table} ${chain}`))
  const out: string[] = []
  for (const table of new Set(parsed.map((entry) => entry.table))) {
    const chains = chainsOf(table)
    if (chains.length === 0) continue
    const gone = new Set(chains)
    const jumps = parsed
      .filter((entry) => entry.table === table && entry.line.startsWith('-A'))
      .filter(({ line }) => !gone.has(line.split(' ')[1] ?? '') && gone.has(/ (?:-j|-g) (\S+)/.exec(line)?.[1] ?? ''))
      .map(({ line }) => line.replace(/^-A/, '-D'))
    out.push(
      `*${table}`,
      ...jumps,
      ...chains.map((chain) => `-F ${chain}`),
      ...chains.map((chain) => `-X ${chain}`),
      'COMMIT',
    )
  }
  return out.length > 0 ? `${out.join('\n')}\n` : ''
}

/** Chains of a snapshot as `<table> <chain>` for one family. Tables are not in a snapshot: the name alone decides. */
function keptChains(before: Snapshot, family: '4' | '6', save: string): Set<string> {
  const names = new Set(
    before.iptables.filter((line) => line.startsWith(`${family} :`)).map((line) => line.slice(3).split(' ')[0]),
  )
  return new Set(
    parseSave(save)
      .filter(({ line }) => line.startsWith(':') && names.has(line.slice(1).split(' ')[0]))
      .map(({ table, line }) => `${table} ${line.slice(1).split(' ')[0]}`),
  )
}

async function cleanIptables(before: Snapshot): Promise<void> {
  for (const [family, name] of [
    ['4', 'iptables'],
    ['6', 'ip6tables'],
  ] as const) {
    const { stdout } = await run(`${name}-save`, [], { allowFailure: true })
    const input = iptablesCleanup(stdout, keptChains(before, family, stdout))
    if (input) await run(`${name}-restore`, ['--noflush', '-w', '5'], { input })
  }
  // iptables-nft makes its base tables on first use; empty ones that were not there go too.
  const now = (await takeSnapshot()).nftTables
  for (const table of now.filter((entry) => !before.nftTables.includes(entry))) {
    const [family, name] = table.split(' ').slice(1)
    if (!family || !name) continue
    const { stdout } = await run('nft', ['list', 'table', family, name], { allowFailure: true })
    const rules = stdout.split('\n').filter((line) => line.trim() && !/^\s*(table|chain|type|}|#)/.test(line))
    if (rules.length === 0) await run('nft', ['delete', 'table', family, name], { allowFailure: true })
  }
}

/** Puts links, routing rules, routes, packet filter and sysctls back to what `before` says. */
export async function restoreNetwork(before: Snapshot): Promise<void> {
  await cleanIptables(before)
  const now = await takeSnapshot()
  for (const set of now.ipsets.filter(
    (name) => !before.ipsets.includes(name) && ours.test(name.replace(/^cilium/, 'CILIUM')),
  )) {
    await run('ipset', ['destroy', set], { allowFailure: true })
  }
  const ourLink = (name: string) =>
    name === local.bridge || /^(cilium_|lxc)/.test(name) || /^veth[0-9a-f]{8}$/.test(name)
  for (const link of now.links.filter((name) => !before.links.includes(name) && ourLink(name))) {
    await run('ip', ['link', 'delete', link], { allowFailure: true })
  }
  for (const rule of now.rules.filter((line) => !before.rules.includes(line))) {
    const [preference, ...rest] = rule.split(/[:\s]+/)
    await run('ip', ['rule', 'del', 'preference', preference!, ...rest], { allowFailure: true })
  }
  for (const rule of before.rules.filter((line) => !now.rules.includes(line))) {
    const [preference, ...rest] = rule.split(/[:\s]+/)
    await run('ip', ['rule', 'add', 'preference', preference!, ...rest], { allowFailure: true })
  }
  for (const route of (await takeSnapshot()).routes.filter(
    (line) => !before.routes.includes(line) && / table 200\d/.test(line),
  )) {
    await run('ip', ['route', 'del', ...route.split(' ')], { allowFailure: true })
  }
  restoreSysctls(before, (await takeSnapshot()).sysctls)
}

function restoreSysctls(before: Snapshot, now: string[]): void {
  const changed = before.sysctls.filter((line) => !now.includes(line))
  // Turning forwarding on or off resets the same setting of every interface, so it goes first.
  for (const line of changed.sort(
    (a, b) => Number(b.startsWith('net/ipv4/ip_forward')) - Number(a.startsWith('net/ipv4/ip_forward')),
  )) {
    const at = line.indexOf('=')
    try {
      writeFileSync(`/proc/sys/${line.slice(0, at)}`, line.slice(at + 1))
    } catch {
      // Its interface is gone, or the kernel allows it one way only (kernel.unprivileged_bpf_disabled).
    }
  }
}

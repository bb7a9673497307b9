import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { buildImages } from '../../images/build.ts'
import type { Progress } from '../../progress.ts'
import { binaryPath, ensureBinaries } from '../binaries.ts'
import { run } from '../exec.ts'
import type { BinaryName } from '../recipes.ts'
import { takeSnapshot } from '../snapshot.ts'
import { kubectl, waitFor } from './api.ts'
import { proveCanary } from './canary.ts'
import { type Component, commands, components } from './commands.ts'
import { down } from './down.ts'
import { readMachine, writeFiles } from './files.ts'
import { type Layout, layout, local } from './layout.ts'
import { loadArchives } from './load.ts'
import { ensureBridge } from './network.ts'
import { writePki } from './pki.ts'
import { runningPid, startProcess } from './processes.ts'

/** The programs that the local cluster runs and the kubectl that it is used with. */
export const localBinaries = [
  'etcd',
  'kube-apiserver',
  'kubectl',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'cilium-operator',
  'cilium-agent',
  'cilium-cni',
] as const satisfies readonly BinaryName[]

const bootId = () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

/** What a running cluster was made of. When it differs from what we would make now, it is made again. */
function recipe(cacheDir: string): string {
  return JSON.stringify({ boot: bootId(), binaries: localBinaries.map((name) => binaryPath(name, cacheDir)) })
}

const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '')

function launch(l: Layout, cacheDir: string, name: Component, path: string): void {
  startProcess(l, name, commands(l, (binary) => binaryPath(binary, cacheDir), path)[name], path)
}

/** Brings the local cluster up, or a part of it that ended, and returns when pods can run and policies bite. */
export async function up(
  cacheDir: string,
  path: string,
  progress: Progress,
): Promise<{ kubeconfig: string; context: string }> {
  const l = layout(cacheDir)
  const made = recipe(cacheDir)
  // Without container runtime and kubelet the node is gone, and with it what ran on it: nothing is left to mend.
  const nodeGone = runningPid(l, 'containerd') === undefined && runningPid(l, 'kubelet') === undefined
  if (read(l.ready) !== '' && read(l.ready) === made && !nodeGone) {
    try {
      await mend(l, cacheDir, path, progress)
      return { kubeconfig: l.kubeconfig, context: local.context }
    } catch (error) {
      // Starting what is missing did not help: make it again.
      await progress.step(`The cluster is not healthy: ${(error as Error).message}`, 0, async () => {})
    }
  }
  if (existsSync(l.state)) await progress.step('Remove what is left of an earlier cluster', 5, () => down(cacheDir))
  await ensureBinaries(localBinaries, progress, cacheDir)
  await start(l, cacheDir, path, progress)
  writeFileSync(l.ready, made)
  return { kubeconfig: l.kubeconfig, context: local.context }
}

/** Starts again what ended, for as long as it takes the cluster to be healthy; a busy machine gets a minute. */
async function mend(l: Layout, cacheDir: string, path: string, progress: Progress): Promise<void> {
  const end = Date.now() + 60_000
  const ended = () => components.filter((component) => runningPid(l, component) === undefined)
  // What the node said before its kubelet ended says nothing about now.
  let since = Date.now() - HEARTBEAT_MS
  for (;;) {
    const missing = ended()
    if (missing.includes('kubelet')) since = Date.now()
    for (const name of missing)
      await progress.step(`Start ${name} again`, 1, async () => launch(l, cacheDir, name, path))
    try {
      await healthy(l, cacheDir, 5_000, since)
      if (ended().length === 0) return
      throw new Error(`${ended().join(', ')} ended again`)
    } catch (error) {
      if (Date.now() > end) throw error
    }
  }
}

/** Longest a kubelet that runs leaves its Lease alone: it renews every 10 s. */
const HEARTBEAT_MS = 30_000

/** Waits for a node that is ready and has said so after `since`. */
async function healthy(l: Layout, cacheDir: string, timeoutMs: number, since: number): Promise<void> {
  const k = kubectl(binaryPath('kubectl', cacheDir), l)
  const ready = '{.status.conditions[?(@.type=="Ready")].status}'
  const lease = ['get', 'lease', local.node, '-n', 'kube-node-lease', '-o', 'jsonpath={.spec.renewTime}']
  await waitFor(
    'a sign of life of the node',
    async () => Date.parse(await k.run([...lease, '--request-timeout=2s'], { allowFailure: true })) >= since,
    timeoutMs,
  )
  await waitFor(
    'a ready node',
    async () =>
      (await k.run(['get', 'node', local.node, '-o', `jsonpath=${ready}`, '--request-timeout=2s'], {
        allowFailure: true,
      })) === 'True',
    timeoutMs,
  )
  await waitFor('the Cilium agent', () => ciliumReady(), timeoutMs)
}

async function ciliumReady(): Promise<boolean> {
  try {
    return (
      await fetch('http://127.0.0.1:9879/healthz', { headers: { brief: 'true' }, signal: AbortSignal.timeout(2000) })
    ).ok
  } catch {
    return false
  }
}

async function start(l: Layout, cacheDir: string, path: string, progress: Progress): Promise<void> {
  const k = kubectl(binaryPath('kubectl', cacheDir), l)
  const begin = (name: Component) => launch(l, cacheDir, name, path)
  await progress.step('Prepare the node: keys, configuration, network', 1, async () => {
    mkdirSync(l.state, { recursive: true, mode: 0o700 })
    // First of all, and complete: `down` puts the machine back to this, also when we are killed on the next line.
    writeFileSync(`${l.before}.new`, JSON.stringify(await takeSnapshot()))
    await run('mv', [`${l.before}.new`, l.before])
    await writePki(l.pki, Date.now())
    const stateFs = (await run('stat', ['-f', '-c', '%T', l.state])).stdout.trim()
    writeFiles(l, readMachine(stateFs), binaryPath('cilium-cni', cacheDir))
    await ensureBridge()
    mkdirSync(dirname(local.ciliumSocket), { recursive: true })
    if (!existsSync(local.ciliumSocket)) symlinkSync(l.ciliumSocket, local.ciliumSocket)
  })
  await progress.step('Start the API server', 4, async () => {
    begin('containerd')
    begin('etcd')
    begin('kube-apiserver')
    const [pause] = await buildImages(['pause'])
    await waitFor(
      'containerd',
      async () => (await run('ctr', ['-a', l.containerdSocket, 'version'], { allowFailure: true })).code === 0,
      20_000,
    )
    if (pause) await loadArchives(l, [pause.archive])
    await waitFor('the API server', () => k.ok(['get', '--raw', '/readyz', '--request-timeout=2s']), 60_000)
  })
  await progress.step('Start the node', 6, async () => {
    for (const name of ['kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy'] as const) begin(name)
    await k.run(['apply', '--server-side', '-f', '-'], { input: runtimeClass })
    await waitFor(
      'the node to register with a pod range',
      async () => {
        return (
          (await k.run(['get', 'node', local.node, '-o', 'jsonpath={.spec.podCIDR}'], { allowFailure: true })) ===
          local.podCIDR
        )
      },
      60_000,
    )
  })
  await progress.step('Start Cilium', 12, async () => {
    begin('cilium-operator')
    begin('cilium-agent')
    await healthy(l, cacheDir, 120_000, 0)
  })
  await progress.step('Prove that a NetworkPolicy blocks', 4, (say) => proveCanary(k, say))
}

const runtimeClass = JSON.stringify({
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'remit-test' },
  handler: 'remit-test',
})

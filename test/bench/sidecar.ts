/**
 * What the gate costs: the same calls to the same server with and without it, alternating within one run, the server
 * and the gate each in a process of its own, every call with its receipts on disk. Exits with 1 when a bar is missed.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { freePorts } from '../harness/ports.ts'
import { createWorld, runScript, waitForPort } from '../sidecar/world.ts'
import { load, percentile, type Sample } from './load.ts'

const BARS = { addedP50Ms: 1.5, callsPerSecond: 1_500, pssMiB: 96 }
const ROUNDS = 5
const ROUND_MS = 1_500

const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: bench, namespace: bench}
spec:
  tools:
  - name: reads
    match: {servers: [upstream], tools: ["get_*"]}
    effect: Allow
    where: [{arg: amount, max: "50.00"}]
  invariants:
  - {name: never-delete, match: {tools: ["delete_*"]}}
`

const merge = (samples: Sample[]) => {
  const latencies = samples.flatMap((sample) => sample.latencies).sort((a, b) => a - b)
  const rates = samples.map(({ rate }) => rate).sort((a, b) => a - b)
  return {
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    rate: rates[Math.floor(rates.length / 2)]!,
  }
}

/** Proportional set size, MiB. */
const pss = (pid: number) =>
  Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024

const world = createWorld()
try {
  const [upstreamPort = 0, gatePort = 0] = await freePorts(2)
  await runScript(world, 'test/bench/upstream.ts', [], { PORT: String(upstreamPort) }, 'upstream')
  await waitForPort(upstreamPort)
  writeFileSync(world.path('policy.yaml'), POLICY)
  const upstream = `http://127.0.0.1:${upstreamPort}/mcp`
  const options = {
    policyFiles: [world.path('policy.yaml')],
    servers: { upstream },
    port: gatePort,
    dataDir: world.path('data'),
  }
  // Bundled and with the flag of the image, as it runs in a pod.
  await build({
    entryPoints: ['test/sidecar/gate-process.ts'],
    outfile: world.path('gate.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minify: true,
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  })
  const gate = await runScript(
    world,
    world.path('gate.mjs'),
    [JSON.stringify(options)],
    { NODE_OPTIONS: '--max-semi-space-size=2' },
    'gate',
  )
  await waitForPort(gatePort)
  const through = `http://127.0.0.1:${gatePort}/mcp/upstream`
  const idle = pss(gate.pid)
  await load(through, 8, 1_000)

  const results: Record<number, { direct: ReturnType<typeof merge>; gate: ReturnType<typeof merge> }> = {}
  let loaded = 0
  for (const connections of [1, 8]) {
    const direct: Sample[] = []
    const gated: Sample[] = []
    for (let round = 0; round < ROUNDS; round++) {
      direct.push(await load(upstream, connections, ROUND_MS))
      gated.push(await load(through, connections, ROUND_MS))
      loaded = Math.max(loaded, pss(gate.pid))
    }
    results[connections] = { direct: merge(direct), gate: merge(gated) }
  }
  for (const [connections, { direct, gate: gated }] of Object.entries(results)) {
    const line = (name: string, s: ReturnType<typeof merge>) =>
      console.log(
        `  ${name.padEnd(10)} p50 ${s.p50.toFixed(2)} ms   p99 ${s.p99.toFixed(2)} ms   ${s.rate.toFixed(0)} calls/s`,
      )
    console.log(`${connections} connection${connections === '1' ? '' : 's'}`)
    line('direct', direct)
    line('gate', gated)
    console.log(
      `  added      p50 ${(gated.p50 - direct.p50).toFixed(2)} ms   p99 ${(gated.p99 - direct.p99).toFixed(2)} ms   rate x ${(gated.rate / direct.rate).toFixed(2)}`,
    )
  }
  console.log(`memory       ${idle.toFixed(0)} MiB idle, ${loaded.toFixed(0)} MiB loaded (proportional set size)`)
  const bars: [string, boolean][] = [
    [
      `adds at most ${BARS.addedP50Ms} ms p50 at one connection`,
      results[1]!.gate.p50 - results[1]!.direct.p50 <= BARS.addedP50Ms,
    ],
    [`at least ${BARS.callsPerSecond} calls/s at eight`, results[8]!.gate.rate >= BARS.callsPerSecond],
    [`under ${BARS.pssMiB} MiB loaded`, loaded < BARS.pssMiB],
  ]
  for (const [bar, met] of bars) console.log(`${met ? 'met   ' : 'MISSED'} ${bar}`)
  process.exitCode = bars.every(([, met]) => met) ? 0 : 1
} finally {
  await world.close()
}

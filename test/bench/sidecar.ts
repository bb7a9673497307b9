/**
 * What the gate costs: the same calls to the same server with and without it, in short rounds that alternate within one
 * run, the server and the gate each in a process of its own, every call with its two receipts synced. Exits with 1 when
 * a bar is missed.
 *
 * Bars are held against the best round: whatever else a shared machine does can only add to a round, so the best one is
 * nearest to what the gate itself costs, and repeats where medians do not. Medians are printed beside it, and what the
 * disk alone took for one synced append in the same rounds: how far these lie apart says how busy the machine was.
 */
import { writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { freePorts } from '../harness/ports.ts'
import { createWorld, runScript, waitForPort } from '../sidecar/world.ts'
import { syncedAppends } from './support/disk.ts'
import { load, percentile, type Sample } from './support/load.ts'
import { pss } from './support/pss.ts'

const BARS = { addedP50Ms: 1.5, callsPerSecond: 1_500, pssMiB: 96 }
const ROUNDS = 15
const ROUND_MS = 500
const PROBES = 21
/** Until the compiler has seen the gate's code often enough to be done with it. */
const WARM_UP_MS = 4_000

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

const median = (values: number[]): number =>
  percentile(
    [...values].sort((a, b) => a - b),
    0.5,
  )
const p50 = ({ latencies }: Sample): number => percentile(latencies, 0.5)
const p99 = (samples: Sample[]): number =>
  percentile(
    samples.flatMap(({ latencies }) => latencies).sort((a, b) => a - b),
    0.99,
  )

/** Rounds without and with the gate, taken in pairs so that both meet the machine in the same state. */
interface Rounds {
  direct: Sample[]
  gate: Sample[]
}
const best = (samples: Sample[]): number => Math.min(...samples.map(p50))
/** Best against best: a direct round that something else slowed must not make the gate look cheap. */
const added = ({ direct, gate }: Rounds): number => best(gate) - best(direct)
const rates = (samples: Sample[]): number[] => samples.map(({ rate }) => rate)

const report = (connections: number, rounds: Rounds) => {
  console.log(`${connections} connection${connections === 1 ? '' : 's'}, ${ROUNDS} rounds of ${ROUND_MS} ms each`)
  for (const [name, samples] of Object.entries(rounds) as [string, Sample[]][]) {
    const medians = samples.map(p50)
    console.log(
      `  ${name.padEnd(7)} p50 ${best(samples).toFixed(2)} ms best, ${median(medians).toFixed(2)} median` +
        `   p99 ${p99(samples).toFixed(2)} ms` +
        `   ${Math.max(...rates(samples)).toFixed(0)} calls/s best, ${median(rates(samples)).toFixed(0)} median`,
    )
  }
  const ratio = median(rounds.gate.map(({ rate }, i) => rate / rounds.direct[i]!.rate))
  console.log(
    `  added   p50 ${added(rounds).toFixed(2)} ms best, ${median(rounds.gate.map((sample, i) => p50(sample) - p50(rounds.direct[i]!))).toFixed(2)} median` +
      `   p99 ${(p99(rounds.gate) - p99(rounds.direct)).toFixed(2)} ms   rate x ${ratio.toFixed(2)} median`,
  )
}

const world = createWorld()
try {
  const [upstreamPort = 0, gatePort = 0] = await freePorts(2)
  await runScript(world, 'test/bench/support/upstream.ts', [], { PORT: String(upstreamPort) }, 'upstream')
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
  await load(upstream, 8, 1_000)
  await load(through, 8, WARM_UP_MS)

  let loaded = 0
  const disk: number[] = []
  const one: Rounds = { direct: [], gate: [] }
  const eight: Rounds = { direct: [], gate: [] }
  // Alternating in everything, so that a busy minute of the machine falls on all of it.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [connections, rounds] of [
      [1, one],
      [8, eight],
    ] as const) {
      rounds.direct.push(await load(upstream, connections, ROUND_MS))
      rounds.gate.push(await load(through, connections, ROUND_MS))
      loaded = Math.max(loaded, pss(gate.pid))
      disk.push(percentile(syncedAppends(world.path('probe'), PROBES), 0.5))
    }
  }
  report(1, one)
  report(8, eight)
  console.log(
    `disk         ${Math.min(...disk).toFixed(2)} ms best, ${median(disk).toFixed(2)} median: one append, synced; a call has two`,
  )
  console.log(`memory       ${idle.toFixed(0)} MiB idle, ${loaded.toFixed(0)} MiB loaded (proportional set size)`)
  const bars: [string, boolean][] = [
    [`adds at most ${BARS.addedP50Ms} ms p50 at one connection`, added(one) <= BARS.addedP50Ms],
    [`at least ${BARS.callsPerSecond} calls/s at eight`, Math.max(...rates(eight.gate)) >= BARS.callsPerSecond],
    [`under ${BARS.pssMiB} MiB loaded`, loaded < BARS.pssMiB],
  ]
  for (const [bar, met] of bars) console.log(`${met ? 'met   ' : 'MISSED'} ${bar}`)
  process.exitCode = bars.every(([, met]) => met) ? 0 : 1
} finally {
  await world.close()
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { random } from '../../fuzz/random.ts'
import { eventually } from '../../harness/eventually.ts'
import { startFaultProxy } from '../../harness/fault-proxy.ts'
import { freePorts } from '../../harness/ports.ts'
import { createWorld, readReceipts, runScript, waitForPort } from '../../sidecar/world.ts'
import { type Quantiles, quantiles } from '../quantiles.ts'
import { type Call, call, connectAs, type Era, runAgent } from './agent.ts'
import { beginKilling, startDesk } from './desks.ts'
import type { Holding } from './gate.ts'
import { judgeCalls } from './judge.ts'
import { beginTrouble, count, type Tally } from './trouble.ts'

export interface McpOptions {
  seed: number
  calls: number
  /** Clients of each era at each server, with faults between them and the gate and without. */
  each: number
  /** The gate's longest silence of a server; a call may take half as much again, and the beginning of a session as much. */
  idleMs: number
  /** Between two kills of a server. */
  killMs: number
  /** How long what the gate holds may take to be no more than before. */
  settleMs: number
  say?: (line: string) => void
}

export interface McpReport {
  calls: number
  /** What agents were told, by how often; and what the record says, beside whether it was done. */
  came: Tally
  outcomes: Tally
  thrown: Tally
  /** Where the stories of agents, record and servers are not the same. */
  problems: string[]
  /** Lines of the gate's log above warn. */
  errors: string[]
  /** Longest a call took, milliseconds, beyond what the gate may take over it: of agents that reach the gate undisturbed. */
  overdueMs: number
  /** The same of all agents, beyond their own deadline. */
  overdueBehindFaultsMs: number
  /** Without faults, before; and once they were over: to connect and call. */
  before: Quantiles
  afterwardsMs: number
  /** Sockets and timers before any call, memory after the first; and in the end. */
  holding: [before: Holding, after: Holding]
}

const SERVERS = { older: 'legacy', newer: 'modern' } as const satisfies Record<string, Era>
type Server = keyof typeof SERVERS
const NAMES = Object.keys(SERVERS) as Server[]
const ERAS: Era[] = ['legacy', 'modern']

const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: desk, namespace: faults}
spec:
  tools:
  - {name: reads, match: {tools: [read]}, effect: Allow}
  - {name: small-payments, match: {tools: [pay]}, effect: Allow, where: [{arg: amount, max: "100"}]}
`

const SCRIPT = new URL('gate.ts', import.meta.url).pathname

/** Agents and servers of both eras, the gate between them, and on both sides of it what networks and servers do on bad days. */
export const runMcp = async ({
  seed,
  calls: wanted,
  each,
  idleMs,
  killMs,
  settleMs,
  say = () => {},
}: McpOptions): Promise<McpReport> => {
  const world = createWorld()
  const thrown: Tally = {}
  const callMs = 1.5 * idleMs
  const mayTakeMs = callMs + idleMs
  const timeoutMs = mayTakeMs + 1_000
  try {
    const [older, newer] = await Promise.all([
      startDesk(world, 'older', SERVERS.older),
      startDesk(world, 'newer', SERVERS.newer),
    ])
    const desks = { older, newer }
    const behind = {
      older: await startFaultProxy({ upstream: older.url }),
      newer: await startFaultProxy({ upstream: newer.url }),
    }
    const [port = 0] = await freePorts(1)
    const dataDir = world.path('data')
    const holdings = world.path('holdings.ndjson')
    writeFileSync(world.path('policy.yaml'), POLICY)
    const options = {
      policyFiles: [world.path('policy.yaml')],
      servers: Object.fromEntries(NAMES.map((name) => [name, `${behind[name].url}/mcp`])),
      port,
      dataDir,
      limits: { idleMs, callMs, cancelGraceMs: 200, returnMs: 500 },
    }
    const gate = await runScript(world, SCRIPT, [JSON.stringify(options), holdings], {}, 'gate')
    await waitForPort(port)
    const url = `http://127.0.0.1:${port}`
    const before = await startFaultProxy({ upstream: url })
    const proxies = [before, behind.older, behind.newer]
    for (const proxy of proxies) world.onClose(proxy.stop)

    const told = (): Holding[] =>
      existsSync(holdings)
        ? readFileSync(holdings, 'utf8')
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line) as Holding)
        : []
    const hold = async (): Promise<Holding> => {
      const known = told().length
      gate.signal('SIGUSR2')
      return eventually(() => told()[known], { timeoutMs: 20_000, everyMs: 20, what: 'what the gate holds' })
    }
    /** Connects and calls once for each era of client and server, one after the other, without a fault. */
    const plain = async (name: string): Promise<Call[]> => {
      const made: Call[] = []
      for (const era of ERAS)
        for (const server of NAMES) {
          const began = performance.now()
          const connected = await connectAs(era, `${url}/mcp/${server}`, timeoutMs)
          const args = { tool: 'read', arguments: { id: `${name}-${era}-${server}` } }
          const one = await call(connected, { server, direct: true, timeoutMs }, args)
          made.push({ ...one, tookMs: performance.now() - began })
          await connected.client.close()
        }
      return made
    }
    const agents = async (phase: string, often: number, fronts: boolean[]): Promise<Call[]> => {
      let left = often
      const runs = ERAS.flatMap((era) =>
        NAMES.flatMap((server) =>
          fronts.flatMap((direct) => Array.from({ length: each }, (_, nth) => ({ era, server, direct, nth }))),
        ),
      ).map(({ era, server, direct, nth }, index) =>
        runAgent({
          name: `${phase}-${era}-${server}-${direct ? 'direct' : 'behind'}-${nth}`,
          era,
          server,
          url: `${direct ? url : before.url}/mcp/${server}`,
          direct,
          timeoutMs,
          random: random(seed, index),
          takes: () => left-- > 0,
          thrown,
        }),
      )
      return (await Promise.all(runs)).flat()
    }

    const idle = await hold()
    const calm = [...(await plain('first')), ...(await agents('calm', Math.min(200, wanted / 4), [true, false]))]
    const first = { ...idle, heldMiB: (await hold()).heldMiB }
    say(`${calm.length} calls without faults; the gate holds ${JSON.stringify(first)}`)

    const ends = proxies.map((proxy, index) => {
      const stream = (nth: number) => random(seed, 1_000 + 10 * index + nth)
      return beginTrouble(proxy, { randoms: [stream(0), stream(1), stream(2)], share: 0.2, everyMs: 1_500, thrown })
    })
    const endKilling = beginKilling(Object.values(desks), { random: random(seed, 2_000), everyMs: killMs, thrown })
    const rough = await agents('rough', wanted, [true, false])
    await endKilling()
    for (const end of ends) end()
    say(`${rough.length} calls with faults`)
    // What agents left behind them may go on until it has taken as long as anything may.
    await pause(mayTakeMs)
    const last = await plain('last')
    // Also what the proxies have forgotten, which in this life is not given up by a kernel.
    for (const proxy of proxies) await proxy.stop()
    let held = await hold()
    const settled = () => held.sockets <= first.sockets && held.timers <= first.timers
    for (const end = Date.now() + settleMs; !settled() && Date.now() < end; held = await hold()) await pause(1_000)
    say(`the gate holds ${JSON.stringify(held)}`)
    await gate.stop()

    const all = [...calm, ...rough, ...last]
    const verdict = judgeCalls({
      calls: all,
      receipts: readReceipts(dataDir),
      done: { older: desks.older.done(), newer: desks.newer.done() },
    })
    const spoilt = last.filter(({ came }) => came !== 'answered' && came !== 'denied')
    const came: Tally = {}
    for (const each of rough) count(came, each.came)
    const longest = (of: Call[]) => Math.max(0, ...of.map(({ tookMs }) => tookMs))
    return {
      calls: rough.length,
      came,
      outcomes: verdict.outcomes,
      thrown,
      problems: [
        ...verdict.problems,
        ...spoilt.map(({ tool, arguments: args, text }) => `afterwards: ${tool} ${args.id}: ${text}`),
      ],
      errors: readFileSync(world.path('gate.log'), 'utf8')
        .split('\n')
        .filter((line) => line && !/"level":"?(warn|40)/.test(line)),
      overdueMs: longest(rough.filter(({ direct }) => direct)) - mayTakeMs,
      overdueBehindFaultsMs: longest(rough) - timeoutMs,
      before: quantiles(calm.map(({ tookMs }) => tookMs)),
      afterwardsMs: longest(last),
      holding: [first, held],
    }
  } finally {
    await world.close()
  }
}

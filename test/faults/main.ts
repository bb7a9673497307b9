/**
 * `npm run faults [-- PART...] [--seed N] [--changes N] [--rotations N] [--readers N] [--calls N]`: what the tests of
 * this folder do for seconds, for as long as it takes; exit code 1 when a bar is missed. Parts: kube, ledger, readers,
 * certificates, mcp.
 */
import { parseArgs } from 'node:util'
import { CannotSetUp } from '../../tools/cluster/cluster.ts'
import { runTool } from '../../tools/run-tool.ts'
import { type Bar, judge } from './bars.ts'
import { runCertificates } from './certificates/run.ts'
import { runKube } from './kube/run.ts'
import { runReaders } from './ledger/readers.ts'
import { runLedger } from './ledger/run.ts'
import { runMcp } from './mcp/run.ts'
import type { Quantiles } from './quantiles.ts'

const show = ({ p50, p99 }: Quantiles) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`
const say = (line: string) => console.log(`  ${line}`)
const most = (values: number[]) => Math.max(0, ...values)
const by = (counts: Record<string, number>) =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, times]) => `    ${times} ${name}`)
    .join('\n')

type Numbers = { seed: number; changes: number; rotations: number; readers: number; calls: number }
const parts: Record<string, (numbers: Numbers) => Promise<Bar[]>> = {
  kube: async ({ seed, changes }) => {
    const report = await runKube({ seed, changes, rounds: 20, say })
    const { clean, faulty, heldMiB, troubles, lists, settledMs } = report
    say(`${report.applied} applied; whole lists: ${JSON.stringify(lists)}\n${by(troubles)}`)
    say(`event to reconcile without faults: ${show(clean)}; with: ${show(faulty)}`)
    return [
      { what: `changes missed of ${report.changes}`, is: report.missed, atMost: 0 },
      { what: 'older versions told after newer', is: report.wentBack, atMost: 0 },
      { what: 'writes on a resync that changes nothing', is: report.writesOnResync, atMost: 0 },
      { what: 'event to reconcile without faults, p99 ms', is: clean.p99, atMost: 2_000 },
      { what: 'event to reconcile with faults, p99 ms', is: faulty.p99, atMost: 6_000 },
      { what: 'longest until all is well after faults end, ms', is: settledMs, atMost: 15_000 },
      { what: 'memory grown from the first half to the second, MiB', is: heldMiB[1] - heldMiB[0], atMost: 16 },
      { what: 'other problems', is: report.problems.length, atMost: 0, said: report.problems },
    ]
  },
  ledger: async ({ seed }) => {
    const report = await runLedger({ seed, sidecars: 4, callsPerSecond: 20, say })
    const latest = (silent: boolean) =>
      most(
        report.recoveries.filter((each) => each.silent === silent).flatMap((each) => [each.remitMs, each.receiptsMs]),
      )
    return [
      { what: `receipts lost of ${report.receipts}`, is: report.lost, atMost: 0 },
      { what: 'receipts doubled', is: report.doubled, atMost: 0 },
      { what: 'longest until all is well after a fault that shows, ms', is: latest(false), atMost: 12_000 },
      { what: 'longest until all is well after one that only silence shows, ms', is: latest(true), atMost: 35_000 },
      { what: 'memory grown, MiB', is: report.heldMiB[1] - report.heldMiB[0], atMost: 16 },
      { what: 'other problems', is: report.problems.length, atMost: 0, said: report.problems },
    ]
  },
  readers: async ({ readers }) => {
    const { alone, beside, ledgerMiB } = await runReaders({ readers, remits: 5, samples: 20, again: 7, say })
    const { before, open, written } = ledgerMiB
    const half = written.length / 2
    say(`remit to who reads: ${show(alone.remit)} alone, ${show(beside.remit)} beside`)
    say(`receipts of who reads: ${show(alone.receipts)} alone, ${show(beside.receipts)} beside`)
    return [
      { what: 'remit to who reads, beside the others, p99 ms', is: beside.remit.p99, atMost: 2_000 },
      { what: 'receipts of who reads, beside the others, p99 ms', is: beside.receipts.p99, atMost: 2_000 },
      {
        what: 'memory of the ledger for a stream nobody reads, KiB',
        is: ((open - before) * 1024) / readers,
        atMost: 128,
      },
      {
        what: 'memory grown from the first half of eight rounds to the second, MiB',
        is: most(written.slice(half)) - most(written.slice(0, half)),
        atMost: 32,
      },
      { what: 'most memory of the ledger, MiB', is: most(written), atMost: 384 },
    ]
  },
  certificates: async ({ seed, rotations }) => {
    const report = await runCertificates({
      seed,
      rotations,
      authorities: 10,
      authoritySeconds: 20,
      requestsOfEach: 50,
      say,
    })
    const asked = Object.values(report.requests).reduce((sum, times) => sum + times, 0)
    say(
      `${report.served.webhook} certificates of the webhook, ${report.served.ledger} of the ledger, ${report.authorities} authorities\n${by(report.requests)}`,
    )
    return [
      { what: `requests failed of ${asked}`, is: report.failed, atMost: 0, said: report.failures },
      {
        what: 'certificates short of the rotations asked for',
        is: rotations - Math.min(report.served.webhook, report.served.ledger),
        atMost: 0,
      },
    ]
  },
  mcp: async ({ seed, calls }) => {
    const report = await runMcp({ seed, calls, each: 3, idleMs: 4_000, killMs: 15_000, settleMs: 75_000, say })
    const [first, last] = report.holding
    say(`thrown:\n${by(report.thrown)}`)
    say(`what agents were told:\n${by(report.came)}`)
    say(`what the record says of it:\n${by(report.outcomes)}`)
    say(`a call without faults, beside the others: ${show(report.before)}`)
    return [
      {
        what: `calls of ${report.calls} of which agents, record and servers do not tell the same`,
        is: report.problems.length,
        atMost: 0,
        said: report.problems.slice(0, 50),
      },
      { what: 'lines of the gate’s log above warn', is: report.errors.length, atMost: 0, said: report.errors },
      { what: 'longest a call took beyond what the gate may take, ms', is: report.overdueMs, atMost: 1_000 },
      { what: 'the same behind faults, beyond the deadline, ms', is: report.overdueBehindFaultsMs, atMost: 2_000 },
      { what: 'to connect and call afterwards, longest, ms', is: report.afterwardsMs, atMost: 1_000 },
      { what: 'sockets of the gate, grown', is: last.sockets - first.sockets, atMost: 0 },
      { what: 'timers of the gate, grown', is: last.timers - first.timers, atMost: 0 },
      { what: 'memory of the gate, grown, MiB', is: last.heldMiB - first.heldMiB, atMost: 16 },
    ]
  },
}

await runTool(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      changes: { type: 'string', default: '100000' },
      rotations: { type: 'string', default: '100' },
      readers: { type: 'string', default: '1000' },
      calls: { type: 'string', default: '10000' },
    },
  })
  const unknown = positionals.find((name) => !(name in parts))
  if (unknown !== undefined)
    throw new CannotSetUp(`there is no part ${unknown}; there is: ${Object.keys(parts).join(', ')}`)
  const numbers = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, Number(text)])) as Numbers
  const bad = Object.entries(numbers).find(([, number]) => !Number.isSafeInteger(number) || number < 0)
  if (bad) throw new CannotSetUp(`--${bad[0]} is not a whole number`)
  let ok = true
  for (const name of positionals.length ? positionals : Object.keys(parts)) {
    console.log(`${name}, seed ${numbers.seed}`)
    ok = judge(await parts[name]!(numbers), (line) => console.log(line)) && ok
  }
  return ok ? 0 : 1
})

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { prepare } from '../../lib/core/prepare.ts'
import { compileStandalone } from '../../sidecar/standalone/compile.ts'
import { readPolicyFiles } from '../../sidecar/standalone/files.ts'
import { freePorts } from '../harness/ports.ts'
import { createWorld, runScript, waitForPort } from '../sidecar/world.ts'
import { compareForwarded, keptBounds, replay } from './check.ts'
import { type Answer, connectClient } from './client.ts'
import { policies, TOOLS } from './policy.ts'
import { readRecord } from './receipts.ts'
import { type FuzzRequest, request, type ServerName } from './requests.ts'
import { startUpstream, type Upstream } from './upstream.ts'
import { SECRET } from './values.ts'

export interface FuzzOptions {
  seed: number
  /** Index of the first request. */
  from?: number
  count: number
  connections?: number
  say?: (line: string) => void
}
export interface FuzzReport {
  requests: number
  /** How many came to each: an HTTP status of a refusal, or an effect and its code. */
  outcomes: Record<string, number>
  forwarded: number
  replayed: number
  /** CPU milliseconds of the gate's longest turn; see gate.ts. 0: none was long enough to be told. */
  longestTurnMs: number
  problems: string[]
}

const SERVERS = Object.keys(TOOLS) as ServerName[]
/** Requests to one gate: its record is read and thrown away after them, so that a long run needs no more disk than a short one. */
const A_GATE = 25_000
/** Of each gate's requests, so many go through one of their own, whose breaker opens early. */
const FROZEN_SHARE = 0.02
const NEVER = 1_000_000
/** Until the compiler has seen the gate's code, turns are its own. */
const WARM_UP = 1_500
const TURN_MS = 50

/** Sends requests `from` to `from + count` of a seed through gates, and says everything that is not as it must be. */
export const fuzz = async ({
  seed,
  from = 0,
  count,
  connections = 12,
  say = () => {},
}: FuzzOptions): Promise<FuzzReport> => {
  const report: FuzzReport = { requests: 0, outcomes: {}, forwarded: 0, replayed: 0, longestTurnMs: 0, problems: [] }
  const upstream = await startUpstream()
  try {
    for (let at = from; at < from + count; at += A_GATE) {
      const known = report.problems.length
      const many = Math.min(A_GATE, from + count - at)
      const frozen = Math.floor(many * FROZEN_SHARE)
      await throughOneGate({ seed, from: at, count: many - frozen, connections, denials: NEVER, upstream, report })
      if (frozen > 0)
        await throughOneGate({
          seed,
          from: at + many - frozen,
          count: frozen,
          connections,
          denials: 3,
          upstream,
          report,
        })
      // As they come: a long run may be ended before it is done.
      for (const problem of report.problems.slice(known, known + 10)) say(problem)
      say(
        `${report.requests} requests, ${report.forwarded} forwarded, ${report.replayed} decided again, longest turn ${report.longestTurnMs.toFixed(0)} ms of CPU, ${report.problems.length} problems`,
      )
    }
  } finally {
    await upstream.close()
  }
  return report
}

interface Part {
  seed: number
  from: number
  count: number
  connections: number
  denials: number
  upstream: Upstream
  report: FuzzReport
}

const throughOneGate = async (part: Part): Promise<void> => {
  const { seed, from, count, upstream, report } = part
  const world = createWorld()
  const problem = (text: string, index?: number): void => {
    const where =
      index === undefined
        ? `--seed ${seed} --from ${from} --count ${count}`
        : `--seed ${seed} --from ${index} --count 1`
    report.problems.push(`${text}\n  npm run fuzz -- ${where}`)
  }
  try {
    const policyFile = world.path('policy.yaml')
    writeFileSync(
      policyFile,
      policies(part.denials)
        .map((each) => JSON.stringify(each))
        .join('\n---\n'),
    )
    const [port = 0] = await freePorts(1)
    const servers = Object.fromEntries(SERVERS.map((name) => [name, upstream.url(name)]))
    const dataDir = world.path('data')
    const options = JSON.stringify({ policyFiles: [policyFile], servers, port, dataDir })
    const gate = await runScript(world, 'test/fuzz/gate.ts', [options, world.path('turns')], {}, 'gate')
    let ended: number | undefined
    void gate.exited.then((code) => {
      ended = code
    })
    await waitForPort(port)
    const clients = await Promise.all(Array.from({ length: part.connections }, () => connectClient(port, SERVERS)))
    upstream.take()
    const sent: { index: number; began: number; ended: number }[] = []
    const sentAt = new Map<string, number>()
    let next = from
    await Promise.all(
      clients.map(async (client) => {
        while (next < from + count && ended === undefined) {
          const index = next++
          const made = request(seed, index)
          const began = Date.now()
          const answer = await client.send(made)
          sent.push({ index, began, ended: Date.now() })
          report.requests++
          const receipt = answer.headers['remit-receipt']
          if (typeof receipt === 'string') sentAt.set(receipt, began)
          const wrong = judge(made, answer)
          if (wrong !== undefined) problem(`${wrong}: request ${index} (${made.kind})`, index)
          const outcome = outcomeOf(answer)
          report.outcomes[outcome] = (report.outcomes[outcome] ?? 0) + 1
        }
        client.close()
      }),
    )
    if (ended !== undefined)
      problem(`the gate ended with ${ended}: ${readFileSync(world.path('gate.log'), 'utf8').slice(-2_000)}`)
    await gate.stop(10_000)
    const log = readFileSync(world.path('gate.log'), 'utf8')
    if (log.includes('for a reason of ours')) problem(`the gate failed: ${log.slice(0, 2_000)}`)
    if (log.includes(SECRET)) problem(`the gate's log holds what is redacted: ${log.slice(0, 2_000)}`)

    for (const { at, cpuMs } of turns(world.path('turns'))) {
      if (sent.filter(({ ended }) => ended < at).length < WARM_UP) continue
      report.longestTurnMs = Math.max(report.longestTurnMs, cpuMs)
      if (cpuMs <= TURN_MS) continue
      const suspects = sent
        .filter(({ began, ended }) => began <= at && ended >= at - cpuMs - 20)
        .map(({ index }) => index)
      problem(`a turn of ${cpuMs.toFixed(0)} ms of CPU, during one of the requests ${suspects.join(', ')}`)
    }
    const record = await readRecord(dataDir, sentAt)
    const { forwarded, broken } = upstream.take()
    const prepared = prepare(remitOf(policyFile, servers))
    const again = replay(prepared, definitionOf, record)
    report.forwarded += forwarded.length
    report.replayed += again.replayed
    for (const text of [
      ...broken.map((what) => `the server got what is no strict message: ${what}`),
      ...record.leaks.map((line) => `a receipt holds what is redacted: ${line}`),
      ...compareForwarded(record, forwarded),
      ...keptBounds(record, forwarded),
      ...again.problems,
    ])
      problem(text)
    if (part.denials < NEVER && record.freezes !== 1) problem(`the breaker opened ${record.freezes} times`)
  } finally {
    await world.close()
  }
}

const turns = (file: string): { at: number; cpuMs: number }[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : []

const definitionOf = (server: string, tool: string): object | undefined =>
  (TOOLS[server as ServerName] ?? []).find(({ name }) => name === tool)

const remitOf = (policyFile: string, servers: Record<string, string>) =>
  compileStandalone({
    files: readPolicyFiles([policyFile]),
    servers: Object.entries(servers).map(([name, url]) => ({ name, url })),
    models: [],
    owner: 'ana',
    user: 'ana',
    at: Date.now(),
    startedAt: Date.now(),
  })

/** What no answer may be, whatever was asked. */
const judge = ({ headers, body }: FuzzRequest, { status, text }: Answer): string | undefined => {
  // A connection is ended on one whose body is not wanted, sometimes before all of it was sent.
  const mayBreak =
    'content-type' in headers || 'accept' in headers || 'host' in headers || body.length > 4 * 1024 * 1024
  if (status === 0) return mayBreak ? undefined : `no answer (${text})`
  if (status >= 500 || text.includes('internal error')) return `HTTP ${status} ${text.slice(0, 300)}`
  if (text.includes('"CannotRecord"')) return `not recorded: ${text.slice(0, 300)}`
  if (text.includes(SECRET)) return `the answer holds what is redacted: ${text.slice(0, 300)}`
  return undefined
}

const outcomeOf = ({ status, text }: Answer): string => {
  if (status !== 200) return `HTTP ${status}`
  if (text.includes('"dev.remit/effect":"Draft"')) return 'Draft'
  const code = /"dev\.remit\/code":"(\w+)"/.exec(text)?.[1] ?? /"data":\{"code":"(\w+)"/.exec(text)?.[1]
  return code ?? (text.includes('"result"') ? 'answered' : 'error')
}

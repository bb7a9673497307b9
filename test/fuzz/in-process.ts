import type { AgentPolicy, ClusterAgentPolicy } from '../../lib/api/gen/types.ts'
import { assess } from '../../lib/core/decide.ts'
import { newHistory } from '../../lib/core/history/history.ts'
import { prepare } from '../../lib/core/prepare.ts'
import { type Json, parseStrict } from '../../lib/core/strict.ts'
import { cpuMs } from '../../lib/core/testing/cpu.ts'
import { compileStandalone } from '../../sidecar/standalone/compile.ts'
import { mutate } from './mutate.ts'
import { policies, TOOLS } from './policy.ts'
import { random } from './random.ts'
import { request } from './requests.ts'

export interface PureReport {
  texts: number
  parsed: number
  longestMs: number
  problems: string[]
}
const EFFECTS = new Set(['Allow', 'Draft', 'Ask', 'Deny'])

/** The parser and the decision alone, on bytes that no HTTP stands before. */
export const fuzzInProcess = ({
  seed,
  from = 0,
  count,
}: {
  seed: number
  from?: number
  count: number
}): PureReport => {
  const [policy, tried, cluster] = policies(1_000_000) as [AgentPolicy, AgentPolicy, ClusterAgentPolicy]
  const prepared = prepare(
    compileStandalone({
      files: { policies: [policy, tried], clusterPolicies: [cluster] },
      servers: Object.keys(TOOLS).map((name) => ({ name, url: 'http://127.0.0.1/' })),
      models: [],
      owner: 'ana',
      user: 'ana',
      at: Date.now(),
      startedAt: Date.now(),
    }),
  )
  const history = newHistory(prepared)
  history.loaded = true
  const report: PureReport = { texts: 0, parsed: 0, longestMs: 0, problems: [] }
  for (let index = from; index < from + count; index++) {
    const { body, server } = request(seed, index)
    const bytes = index % 3 === 0 ? mutate(random(seed + 1, index), body) : body
    const began = cpuMs()
    const problem = one(bytes, server)
    const took = cpuMs() - began
    report.texts++
    // The first ones are the compiler's.
    if (index > from + 2_000) report.longestMs = Math.max(report.longestMs, took)
    if (problem !== undefined || (index > from + 2_000 && took > 50))
      report.problems.push(
        `${problem ?? `${took.toFixed(0)} ms of CPU`}: text ${index}\n  npm run fuzz -- --seed ${seed} --from ${index} --count 1`,
      )
  }
  return report

  function one(bytes: Buffer, server: string): string | undefined {
    try {
      const parsed = parseStrict(bytes)
      if (!parsed.ok) return undefined
      report.parsed++
      const written = JSON.stringify(parsed.value)
      if (JSON.stringify(JSON.parse(bytes.toString('utf8'))) !== written) return 'written as another text than read'
      const { params } = (parsed.value ?? {}) as { params?: { name?: Json; arguments?: Json } }
      const { decision } = assess(
        prepared,
        { server, tool: String(params?.name), arguments: params?.arguments ?? parsed.value },
        history,
        Date.now(),
      )
      return EFFECTS.has(decision.effect) && decision.reason !== '' ? undefined : 'no decision'
    } catch (error) {
      return `threw ${(error as Error).stack?.slice(0, 400)}`
    }
  }
}

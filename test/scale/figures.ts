import type { Peak } from './usage.ts'

type Counts = [what: string, times: number][]

/** Times in seconds, memory in MiB. */
export interface Figures {
  agents: number
  /** From the first AgentIdentity sent: until all were stored, all remits written, all pods running, all agents ready. */
  seconds: { created: number; remits: number; running: number; ready: number }
  /** Processor time of a part until all agents were ready. */
  cpu: { operator: number; ledger: number; webhook: number }
  /** Reconciles of the agent controller by result, the edit's among them. */
  reconciles: Record<string, number>
  /** Writes at the API server until all agents were ready and the operator at rest. */
  writes: { operator: Counts; everybody: number }
  /** After an edit of the ClusterAgentPolicy: until the last remit was written and each stream told, ascending. */
  edit: { remits: number; told: number[]; writes: Counts }
  /** An operator that starts over: its reconciles, how often each cache was listed again at least, and its writes. */
  resync: { reconciles: number; lists: number; writes: Counts }
  memory: { operator: Peak; ledger: Peak; webhook: Peak }
  /** What should not have happened, a sentence each. */
  problems: string[]
}

export const BARS = { readySeconds: 120, residentMiB: 256, editSeconds: 60 }

/** What a run is held to. */
export const bars = ({ agents, seconds, memory, edit, resync, problems }: Figures): [bar: string, met: boolean][] => [
  [`all agents ready within ${BARS.readySeconds} s`, seconds.ready < BARS.readySeconds],
  [`operator under ${BARS.residentMiB} MiB`, memory.operator.resident < BARS.residentMiB],
  [`ledger under ${BARS.residentMiB} MiB`, memory.ledger.resident < BARS.residentMiB],
  [`an edit in every remit within ${BARS.editSeconds} s`, edit.remits < BARS.editSeconds],
  [`an edit told to every stream within ${BARS.editSeconds} s`, (edit.told.at(-1) ?? 0) < BARS.editSeconds],
  ['a resync looks at every agent', resync.reconciles >= agents],
  ['every cache is listed again meanwhile', resync.lists >= 1],
  ['a resync writes nothing', resync.writes.length === 0],
  ['nothing else goes wrong', problems.length === 0],
]

const perAgent = (counts: Counts, agents: number): string[] =>
  counts.map(([what, times]) => `  ${(times / agents).toFixed(2).padStart(7)}  ${what}`)
const sum = (counts: Counts): number => counts.reduce((total, [, times]) => total + times, 0)
const at = (sorted: number[], share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
const s = (value: number) => `${value.toFixed(1)} s`

/** The figures as a person reads them. */
export const report = (figures: Figures): string => {
  const { agents, seconds, cpu, reconciles, writes, edit, resync, memory, problems } = figures
  return [
    `${agents} agents: stored ${s(seconds.created)}, remits ${s(seconds.remits)}, pods running ${s(seconds.running)}, ready ${s(seconds.ready)}`,
    `processor: operator ${s(cpu.operator)}, ledger ${s(cpu.ledger)}, webhook ${s(cpu.webhook)}`,
    ...Object.entries(memory).map(
      ([part, { resident, proportional }]) =>
        `memory at most: ${part} ${resident.toFixed(0)} MiB resident, ${proportional.toFixed(0)} proportional`,
    ),
    `reconciles of agents: ${Object.entries(reconciles)
      .map(([result, count]) => `${count} ${result}`)
      .join(', ')}`,
    `writes of the operator, per agent (${(writes.everybody / agents).toFixed(1)} by everybody):`,
    ...perAgent(writes.operator, agents),
    `a policy's edit: last remit ${s(edit.remits)}; ${edit.told.length} streams told p50 ${s(at(edit.told, 0.5))}, p99 ${s(at(edit.told, 0.99))}, last ${s(at(edit.told, 1))}; writes per agent:`,
    ...perAgent(edit.writes, agents),
    `a resync: ${resync.reconciles} reconciles, each cache listed again ${resync.lists} times, ${sum(resync.writes)} writes`,
    ...perAgent(resync.writes, agents),
    ...problems.slice(0, 20).map((problem) => `problem: ${problem}`),
    ...bars(figures).map(([bar, met]) => `${met ? 'met   ' : 'MISSED'} ${bar}`),
  ].join('\n')
}

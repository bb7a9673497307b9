import { basename } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import type { Receipt } from '../../lib/api/receipt.ts'
import type { Remit } from '../../lib/api/remit.ts'
import { UserError } from '../../lib/core/errors.ts'
import { historyWindow } from '../../lib/core/history/history.ts'
import { prepare } from '../../lib/core/prepare.ts'
import { type CliContext, type Cluster, type ClusterFlags, connect } from '../context.ts'
import { clusterReceipts } from '../evidence/cluster.ts'
import { directoryReceipts } from '../evidence/directory.ts'
import { isIntent } from '../evidence/source.ts'
import { EXIT } from '../exit.ts'
import { clusterFlags, durationValue } from '../flags.ts'
import { isChange } from '../policy/changes.ts'
import { policiesOf, remitInForce, withCandidate } from '../policy/in-force.ts'
import { readInput, sayObserving } from '../policy/input.ts'
import { loadCandidate } from '../policy/load.ts'
import { replay } from '../policy/replay.ts'
import { readTools } from '../policy/tools.ts'
import { type About, renderDiff, renderMarkdown, renderReplay, replayJson } from '../render/replay.ts'
import { instant } from '../render/time.ts'

const FORMATS = ['table', 'diff', 'markdown', 'json'] as const
interface Flags extends ClusterFlags {
  agent?: string
  since: number
  policy: string[]
  tools?: string
  data?: string
  alone?: true
  exitCode?: true
  output: (typeof FORMATS)[number]
}
const format = (value: string) => {
  if (!(FORMATS as readonly string[]).includes(value)) throw new InvalidArgumentError(`must be ${FORMATS.join(', ')}.`)
  return value
}

/** Servers of recorded calls, but for those that no remit had. */
const serversOf = (receipts: Receipt[]): string[] =>
  receipts
    .filter(isIntent)
    .flatMap(({ body: { call, decision } }) =>
      call.type !== 'model' && decision.code !== 'UnknownServer' ? [call.server] : [],
    )

export const policyReplayCommand = (policy: Command, context: CliContext): void => {
  const command = policy
    .command('replay')
    .description('recorded calls against other policies: what would now be denied, asked, drafted or allowed')
    .requiredOption('--policy <file...>', 'the policies to try; each takes the place of the one of its name')
    .option('--agent <name>', 'name of the AgentIdentity')
    .option('--since <duration>', 'how far to look back', durationValue, durationValue('7d'))
    .option('--data <dir>', 'read the directory of a gate instead of the cluster')
    .option('--tools <file>', 'JSON of {SERVER: tools/list result}: pins, schemas and annotations are then checked')
    .option('--alone', "without the agent's other policies and those of the cluster")
    .option('--exit-code', 'exit 1 when anything would be decided otherwise')
    .option('-o, --output <format>', FORMATS.join(', '), format, 'table')
  clusterFlags(command).action(async (flags: Flags) => {
    if (!flags.agent && !flags.data)
      throw new UserError('BadUsage', { detail: 'name an agent with --agent, or a directory with --data' })
    const tools = flags.tools === undefined ? undefined : readTools(await readInput(flags.tools), flags.tools)
    const cluster = flags.data ? undefined : connect(context, flags)
    const since = context.now() - flags.since
    const remitFor = await candidateFor(context, flags, cluster)
    const source = cluster ? clusterReceipts(cluster) : directoryReceipts(flags.data as string)
    // What limits and evidence look at lies before the first call that is asked about.
    const from = since - historyWindow(prepare(remitFor([])))
    const receipts = await source.list({ agent: flags.agent, since: new Date(from).toISOString() })
    const result = replay(remitFor(serversOf(receipts)), receipts, since, tools)
    const about: About = {
      agent: flags.agent ?? (flags.data as string),
      since,
      candidate: flags.policy.map((path) => basename(path)).join(', '),
    }
    if (result.replayed.length + result.skipped.length === 0)
      throw new UserError('NothingRecorded', { whose: about.agent, since: instant(since) })
    if (flags.output === 'json') context.out(JSON.stringify(replayJson(result, about), null, 2))
    else if (flags.output === 'markdown') context.out(renderMarkdown(result, about))
    else if (flags.output === 'table') context.out(renderReplay(result, about))
    else if (result.replayed.some(isChange)) context.out(renderDiff(result.replayed, about.candidate))
    if (flags.exitCode && result.replayed.some(isChange)) process.exitCode = EXIT.problems
  })
}

/**
 * The candidate as it would be enforced for an agent with these servers: in a cluster in the place of policies of the
 * same names, beside the agent's others. Says what a person should know of it.
 */
const candidateFor = async (context: CliContext, flags: Flags, cluster: Cluster | undefined) => {
  const load = (servers: string[]) => loadCandidate(flags.policy, servers, context.now(), cluster?.namespace)
  const candidate = load([])
  sayObserving(context, candidate)
  if (!cluster || flags.alone) return (servers: string[]): Remit => load(servers).remit
  const agent = flags.agent as string
  const inForce = await remitInForce(cluster, agent)
  if (inForce === undefined) {
    context.err(`the remit of ${agent} cannot be read, so only the given policies are looked at`)
    return (servers: string[]): Remit => load(servers).remit
  }
  const known = policiesOf(inForce)
  for (const name of policiesOf(candidate.remit))
    if (!known.includes(name))
      context.err(`${name} is not a policy of ${agent} now (${known.join(', ')}): it is replayed beside them`)
  return (servers: string[]): Remit => withCandidate(inForce, load(servers).remit)
}

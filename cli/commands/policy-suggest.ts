import type { Command } from 'commander'
import { dump } from 'js-yaml'
import type { AgentPolicy } from '../../lib/api/gen/types.ts'
import type { IntentBody } from '../../lib/api/receipt.ts'
import { UserError } from '../../lib/core/errors.ts'
import { suggestPolicy } from '../../lib/core/suggest.ts'
import { type CliContext, type ClusterFlags, connect } from '../context.ts'
import { clusterReceipts } from '../evidence/cluster.ts'
import { directoryReceipts } from '../evidence/directory.ts'
import { isIntent } from '../evidence/source.ts'
import { clusterFlags, durationValue, outputFlag } from '../flags.ts'
import { instant } from '../render/time.ts'

interface Flags extends ClusterFlags {
  since: number
  agent?: string
  name: string
  data?: string
  output?: string
}

/** What the suggestion says nothing of. */
function limitsOf({ spec }: AgentPolicy, intents: IntentBody[]): string[] {
  const without = intents.filter(({ call }) => call.type === 'completion' || call.type === 'task').length
  return [
    ...(spec.requests === undefined
      ? []
      : ['# What the agent answered to servers is not recorded: say under answer what may leave.']),
    ...(without === 0 ? [] : [`# ${without} completions and tasks need no rules of their own.`]),
  ]
}

export const policySuggestCommand = (policy: Command, context: CliContext): void => {
  const command = policy
    .command('suggest')
    .description('write a policy from what an observed agent really did')
    .option('--agent <name>', 'name of the AgentIdentity')
    .option('--since <duration>', 'how far to look back', durationValue, 3_600_000)
    .option('--name <name>', 'name of the policy to write', 'suggested')
    .option('--data <dir>', 'read the directory of a gate instead of the cluster')
  outputFlag(clusterFlags(command)).action(async (flags: Flags) => {
    if (!flags.agent && !flags.data)
      throw new UserError('BadUsage', { detail: 'name an agent with --agent, or a directory with --data' })
    const cluster = flags.data ? undefined : connect(context, flags)
    const source = cluster ? clusterReceipts(cluster) : directoryReceipts(flags.data as string)
    const since = new Date(context.now() - flags.since).toISOString()
    const receipts = await source.list({ agent: flags.agent, since })
    const intents = receipts.filter(isIntent).map((receipt) => receipt.body)
    if (!intents.length)
      throw new UserError('NothingRecorded', { whose: flags.agent ?? (flags.data as string), since: instant(since) })
    const suggested = suggestPolicy(intents, flags.name, cluster?.namespace ?? flags.namespace ?? 'default')
    if (flags.output === 'json') return context.out(JSON.stringify(suggested, null, 2))
    context.out(
      [
        `# Written from ${intents.length} recorded calls. Read every rule before you apply it:`,
        '# it allows what was done, which is not always what should be done.',
        ...limitsOf(suggested, intents),
      ].join('\n'),
    )
    context.out(dump(suggested, { lineWidth: 120, noRefs: true }).trimEnd())
  })
}

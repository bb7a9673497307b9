import type { Command } from 'commander'
import { describe, UserError } from '../../lib/core/errors.ts'
import { type CliContext, type ClusterFlags, connect } from '../context.ts'
import { clusterReceipts } from '../evidence/cluster.ts'
import { directoryReceipts } from '../evidence/directory.ts'
import { clusterFlags, durationValue, outputFlag } from '../flags.ts'
import { instant } from '../render/time.ts'
import { renderTimeline } from '../render/timeline.ts'

interface Flags extends ClusterFlags {
  since: number
  data?: string
  output?: string
}

export const timelineCommand = (program: Command, context: CliContext): void => {
  const command = program
    .command('timeline')
    .description('what an agent did, call by call')
    .argument('[agent]', 'name of the AgentIdentity')
    .option('--since <duration>', 'how far to look back', durationValue, 3_600_000)
    .option('--data <dir>', 'read the directory of a gate instead of the cluster')
  outputFlag(clusterFlags(command)).action(async (agent: string | undefined, flags: Flags) => {
    if (!agent && !flags.data) throw new UserError('BadUsage', { detail: 'name an agent, or a directory with --data' })
    const source = flags.data ? directoryReceipts(flags.data) : clusterReceipts(connect(context, flags))
    const since = new Date(context.now() - flags.since).toISOString()
    const receipts = await source.list({ agent, since })
    if (flags.output === 'json') return context.out(JSON.stringify({ kind: 'List', items: receipts }, null, 2))
    if (!receipts.length) {
      // An agent that did nothing is no mistake of whoever asks.
      const { message, remedy } = describe('NothingRecorded', {
        whose: agent ?? flags.data ?? '',
        since: instant(since),
      })
      return context.err(`${message} ${remedy}`)
    }
    context.out(renderTimeline(receipts))
  })
}

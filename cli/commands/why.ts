import type { Command } from 'commander'
import { LABEL_AGENT } from '../../lib/api/names.ts'
import { type Receipt, receiptName } from '../../lib/api/receipt.ts'
import { UserError } from '../../lib/core/errors.ts'
import { type CliContext, type ClusterFlags, connect } from '../context.ts'
import { clusterReceipts } from '../evidence/cluster.ts'
import { directoryReceipts } from '../evidence/directory.ts'
import { isClosing, isIntent } from '../evidence/source.ts'
import { clusterFlags, outputFlag } from '../flags.ts'
import { isFreeze, renderFreeze } from '../render/freeze.ts'
import { renderWhy } from '../render/why.ts'

interface Flags extends ClusterFlags {
  data?: string
  output?: string
}

/** What the API says of a receipt beside it; a directory holds the receipts of one agent, without its name. */
const agentOf = (receipt: Receipt & { metadata?: { namespace?: string; labels?: Record<string, string> } }) => {
  const name = receipt.metadata?.labels?.[LABEL_AGENT]
  return name && `${name} -n ${receipt.metadata?.namespace}`
}

export const whyCommand = (program: Command, context: CliContext): void => {
  const command = program
    .command('why')
    .description('who, what, why, under which rule and what came of it, for one receipt')
    .argument('<receipt>', 'its name, as denials and `kubectl get receipts` show it')
    .option('--data <dir>', 'read the directory of a gate instead of the cluster')
  outputFlag(clusterFlags(command)).action(async (name: string, flags: Flags) => {
    const source = flags.data ? directoryReceipts(flags.data) : clusterReceipts(connect(context, flags))
    const named = await source.get(name)
    // A person may hold the name of the result as well as that of the call.
    const found = isClosing(named.receipt) ? await source.get(named.receipt.body.intent) : named
    if (isFreeze(found.receipt)) {
      if (flags.output === 'json') return context.out(JSON.stringify({ name, escalation: found.receipt }, null, 2))
      return context.out(renderFreeze(found.receipt, agentOf(found.receipt)))
    }
    if (!isIntent(found.receipt))
      throw new UserError('BadUsage', {
        detail: `${name} is a receipt of kind ${found.receipt.body.kind}, not of a call or a freeze`,
      })
    if (flags.output === 'json')
      return context.out(
        JSON.stringify(
          { name: receiptName(found.receipt.envelope), intent: found.receipt, result: found.result },
          null,
          2,
        ),
      )
    const { agent } = found.receipt.body
    context.out(renderWhy(found.receipt, found.result, source.timelineCommand(agent.name, agent.namespace)))
  })
}

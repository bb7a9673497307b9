import type { Command } from 'commander'
import type { AgentIdentity } from '../../lib/api/gen/types.ts'
import { UserError } from '../../lib/core/errors.ts'
import { isNotFound } from '../../lib/kube/errors.ts'
import { get, mergePatch } from '../../lib/kube/objects.ts'
import { agentIdentities, typed } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { type CliContext, type ClusterFlags, connect } from '../context.ts'
import { clusterFlags, outputFlag } from '../flags.ts'
import { oneLine } from '../render/one-line.ts'
import { instant } from '../render/time.ts'

interface Flags extends ClusterFlags {
  output?: string
}
const kind = typed<AgentIdentity & KubeObject>(agentIdentities)

/** The freeze that the status says is in force. @throws UserError NotFrozen: what nobody has looked at is not lifted in advance */
const freezeOf = ({ metadata: { name, namespace = '' }, status }: AgentIdentity) => {
  const isFrozen = status?.conditions?.some((condition) => condition.type === 'Frozen' && condition.status === 'True')
  if (!isFrozen || !status?.frozen) throw new UserError('NotFrozen', { name, namespace })
  return status.frozen
}

export const unfreezeCommand = (program: Command, context: CliContext): void => {
  const command = program
    .command('unfreeze')
    .description('let an agent act again after a breaker has frozen it')
    .argument('<agent>', 'name of the AgentIdentity')
  outputFlag(clusterFlags(command)).action(async (name: string, flags: Flags) => {
    const { client, namespace } = connect(context, flags)
    const agent = await get(client, kind, { namespace, name }).catch((error) => {
      if (isNotFound(error)) throw new UserError('NotFound', { what: `The agent ${name} in namespace ${namespace}` })
      throw error
    })
    const freeze = freezeOf(agent)
    // A sidecar whose clock is ahead of this one froze it at a time that is still to come here.
    const at = new Date(Math.max(context.now(), Date.parse(freeze.at))).toISOString()
    const { uid } = agent.metadata
    const { spec } = await mergePatch(
      client,
      kind,
      { namespace, name },
      { metadata: { uid }, spec: { unfrozenAt: at } },
    )
    const { ownerRef, unfrozenBy } = spec
    const onCall = agent.status?.onCall
    if (flags.output === 'json')
      return context.out(
        JSON.stringify(
          { agent: name, namespace, freeze, unfrozenAt: at, unfrozenBy, group: ownerRef.name, onCall },
          null,
          2,
        ),
      )
    const who = unfrozenBy?.username ?? 'you'
    for (const line of [
      `${name} was frozen at ${instant(freeze.at)} by the breaker of ${freeze.policy}: ${freeze.detail}.`,
      `${onCall || 'Nobody'} of ${ownerRef.name} is on call.`,
      `Unfrozen at ${instant(at)} by ${who}. What it does now: kubectl remit timeline ${name} -n ${namespace}`,
    ])
      context.out(oneLine(line))
  })
}

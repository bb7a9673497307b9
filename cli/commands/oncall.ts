import { type Command, InvalidArgumentError } from 'commander'
import type { Member, OwnerGroup } from '../../lib/api/gen/types.ts'
import { UserError } from '../../lib/core/errors.ts'
import { rfc3339 } from '../../lib/core/rfc3339.ts'
import { onCall } from '../../lib/core/rotate.ts'
import { isNotFound } from '../../lib/kube/errors.ts'
import { get } from '../../lib/kube/objects.ts'
import { ownerGroups, typed } from '../../lib/kube/resources.ts'
import { type CliContext, type ClusterFlags, connect } from '../context.ts'
import { clusterFlags, outputFlag } from '../flags.ts'
import { instant } from '../render/time.ts'

interface Flags extends ClusterFlags {
  at?: number
  output?: string
}
const timeValue = (value: string): number => {
  const at = rfc3339(value)
  if (at === undefined) throw new InvalidArgumentError('must be a time such as 2026-10-05T02:00:00Z.')
  return at
}
const reach = (member: Member | undefined): string =>
  Object.entries(member?.contacts ?? {})
    .map(([kind, value]) => `${kind} ${value}`)
    .join(', ') || 'no contact given'

export const oncallCommand = (program: Command, context: CliContext): void => {
  const command = program
    .command('oncall')
    .description('who answers for an owner group, until when, and how to reach them')
    .argument('<group>', 'name of the OwnerGroup')
    .option('--at <time>', 'at another time than now (RFC 3339)', timeValue)
  outputFlag(clusterFlags(command)).action(async (name: string, flags: Flags) => {
    const { client, namespace } = connect(context, flags)
    const group = await get(client, typed<OwnerGroup>(ownerGroups), { namespace, name }).catch((error) => {
      throw isNotFound(error) ? new UserError('OwnerGroupMissing', { name, namespace }) : error
    })
    const duty = onCall(group.spec, flags.at ?? context.now())
    if (!duty) throw new UserError('NobodyOnCall', { name })
    const people = duty.names.map((who) => ({ name: who, ...group.spec.members.find((member) => member.name === who) }))
    if (flags.output === 'json')
      return context.out(JSON.stringify({ group: name, namespace, ...duty, people }, null, 2))
    const until = duty.until ? ` until ${instant(duty.until)}` : ''
    for (const person of people) context.out(`${person.name} (${reach(person)}), by ${duty.source}${until}`)
  })
}

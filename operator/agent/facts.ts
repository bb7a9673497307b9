import type { Freeze, Model, Server } from '../../lib/api/gen/types.ts'
import type { Remit } from '../../lib/api/remit.ts'
import { compile, type Problem } from '../../lib/core/compile.ts'
import type { ErrorCode, ErrorValues } from '../../lib/core/errors.ts'
import type { EgressTarget } from '../../lib/core/pod/network-policy.ts'
import { type Duty, onCall } from '../../lib/core/rotate.ts'
import { type Endpoint, remitModel, remitServer, resolveEndpoint, serviceTargets } from './endpoint.ts'
import { freezeOf } from './freeze.ts'
import type { World } from './world.ts'

/** What follows from the world before anything is decided. */
export interface Facts {
  duty: Duty | null
  /** Problems of the owner group, and of the policies; either keeps the agent from having authority. */
  ownerProblems: Problem[]
  policyProblems: Problem[]
  /** Servers and models that cannot be reached as declared. */
  endpointProblems: { code: ErrorCode; values: ErrorValues }[]
  /** The compiled remit, of generation 0; absent with a problem of owner or policy. */
  remit?: Remit
  /** The freeze in force. */
  freeze?: Freeze
  /** Where the fence opens for what is declared, and for the ledger. */
  targets: EgressTarget[]
  ledgerTargets: EgressTarget[]
}

const OWNER_CODES: ErrorCode[] = ['OwnerGroupMissing', 'OwnerGroupInvalid', 'NobodyOnCall']

const dutyOf = ({ owner, now }: World): Duty | null => {
  if (!owner) return null
  try {
    return onCall(owner.spec, now)
  } catch (error) {
    // A zone or a start nobody can read; compile says it as a problem with its field.
    if (error instanceof RangeError) return null
    throw error
  }
}

const ledgerPort = 8443

/** Pure; `world.agent` must be there. */
export const factsOf = (world: World): Facts => {
  const agent = world.agent!
  const { trust, ledger, owner } = world
  const endpointProblems: Facts['endpointProblems'] = []
  const targets: EgressTarget[] = []
  const services = {
    service: (name: string) => world.services.get(name)?.service,
    slices: (name: string) => world.services.get(name)?.slices ?? [],
  }
  const resolve = <E extends Server | Model, R>(entries: E[], make: (entry: E, endpoint: Endpoint) => R): R[] =>
    entries.flatMap((entry) => {
      const found = resolveEndpoint(entry, world.namespace, services)
      if ('code' in found) {
        endpointProblems.push(found)
        return []
      }
      targets.push(...found.targets)
      return [make(entry, found)]
    })
  const servers = resolve(agent.spec.servers ?? [], remitServer)
  const models = resolve(agent.spec.models ?? [], remitModel)
  const result = compile({
    cluster: trust?.cluster ?? '',
    agent,
    policies: world.policies,
    clusterPolicies: world.clusterPolicies,
    owner,
    servers,
    models,
    ledgerCA: trust?.ledgerCA,
    anchors: trust?.anchors,
    generation: 0,
    epoch: 0,
    issuedAt: new Date(world.now).toISOString(),
  })
  const problems = 'problems' in result ? result.problems : []
  const remit = 'remit' in result ? result.remit : undefined
  for (const { cidr, ports = [] } of remit?.egress.cidrs ?? []) targets.push({ cidr, ports })
  return {
    duty: dutyOf(world),
    ownerProblems: problems.filter(({ code }) => OWNER_CODES.includes(code)),
    policyProblems: problems.filter(({ code }) => !OWNER_CODES.includes(code)),
    endpointProblems,
    remit,
    freeze: freezeOf(world),
    targets,
    ledgerTargets: ledger ? serviceTargets(ledger.service, ledger.slices, ledgerPort, ledger.namespace) : [],
  }
}

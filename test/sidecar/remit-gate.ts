import type { Remit } from '../../lib/api/remit.ts'
import { startTelemetry } from '../../lib/service/telemetry.ts'
import { createAuthority } from '../../sidecar/authority.ts'
import { startGate } from '../../sidecar/gate.ts'
import { openSpool, type Spool } from '../../sidecar/spool/spool.ts'
import { silent, type World } from './world.ts'

const AGENT: Remit['agent'] = {
  id: 'id',
  namespace: 'payments',
  name: 'bot',
  createdBy: { username: 'ana', at: '2026-11-21T10:00:00Z' },
}

/** A remit that allows all calls of one server, `raw`. */
export const remitFor = (url: string, more: Partial<Remit> = {}): Remit => ({
  version: 1,
  cluster: 'c',
  agent: AGENT,
  generation: 1,
  epoch: 0,
  issuedAt: '2026-11-21T10:00:00Z',
  owner: { group: 'team', spec: { members: [{ name: 'ana' }], onCall: { owner: 'ana' } } },
  rules: [{ policy: 'p', mode: 'Enforce', type: 'tool', name: 'all', match: { tools: ['*'] }, effect: 'Allow' }],
  servers: [{ name: 'raw', url }],
  models: [],
  egress: { cidrs: [] },
  sources: [],
  ...more,
})

/** A gate in this process under a remit, and without a ledger. `watched`: what the gate gets for its spool. */
export const openUnder = async (
  world: World,
  remit: Remit,
  { now = Date.now, watched = (spool) => spool }: { now?: () => number; watched?: (spool: Spool) => Spool } = {},
): Promise<{ url: string; dir: string; authority: ReturnType<typeof createAuthority> }> => {
  const { agent } = remit
  const dir = world.path(agent.name)
  const authority = createAuthority({ log: silent })
  authority.accept(remit)
  const spool = await openSpool({
    dir,
    incarnation: { agent, sidecar: { version: '0' } },
    maxBytes: Number.POSITIVE_INFINITY,
    keep: true,
    now,
    epoch: authority.epoch,
    log: silent,
  })
  world.onClose(spool.close)
  const gate = await startGate({
    port: 0,
    authority,
    spool: watched(spool),
    loadPast: async () => {},
    dir,
    credentials: () => undefined,
    telemetry: startTelemetry({ service: 'test', version: '0' }),
    now,
    log: silent,
  })
  world.onClose(() => gate.close())
  return { url: `http://127.0.0.1:${gate.port}/mcp/raw`, dir, authority }
}

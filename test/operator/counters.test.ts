import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AgentRemit } from '../../lib/api/gen/types.ts'
import type { Client } from '../../lib/kube/client.ts'
import { get, list, mergePatch } from '../../lib/kube/objects.ts'
import { agentIdentities, agentRemits, events, secrets } from '../../lib/kube/resources.ts'
import type { Apiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { company, podMade, readAgent, SYSTEM, startCluster, startOperator } from './harness.ts'

let cluster: Apiserver & { operatorClient: Client }
beforeAll(async () => {
  cluster = await startCluster()
}, 60_000)
afterAll(() => cluster?.stop())

test('counters go from the ledger, known by its certificate, into the status; what is unchanged is not written', async () => {
  const { client } = cluster
  const token = join(cluster.dir, 'token')
  writeFileSync(token, 'the-token\n')
  const first = startOperator(cluster.operatorClient)
  await company(client, 'count', { agent: {} })
  await podMade(client, 'count')
  const { data } = await get(client, secrets, { namespace: SYSTEM, name: 'remit-ledger-tls' })
  await first.stop()
  const { metadata } = await readAgent(client, 'count')
  const pem = (key: string) => Buffer.from(data?.[key] ?? '', 'base64')
  const asked: (string | undefined)[] = []
  let calls = 12
  let frozen: Record<string, object> = {}
  const ledger = createServer({ cert: pem('tls.crt'), key: pem('tls.key') }, (request, response) => {
    if (request.url === '/v1/frozen') {
      response.end(JSON.stringify({ agents: frozen }))
      return
    }
    asked.push(`${request.url} ${request.headers.authorization}`)
    const agents = {
      [metadata.uid ?? '']: { calls, denied: 3, lastAction: { at: '2026-11-21T02:00:00.123Z', what: 'refund' } },
      stranger: { calls: 1, denied: 0 },
    }
    response.end(JSON.stringify({ agents }))
  })
  await new Promise<void>((resolve) => ledger.listen(0, '127.0.0.1', resolve))
  const env = {
    REMIT_COUNTERS: 'true',
    REMIT_COUNTERS_SECONDS: '1',
    REMIT_FROZEN_SECONDS: '1',
    REMIT_LEDGER_URL: `https://127.0.0.1:${(ledger.address() as AddressInfo).port}`,
    REMIT_LEDGER_TOKEN_FILE: token,
  }
  const second = startOperator(cluster.operatorClient, env)
  try {
    const status = await eventually(async () => {
      const current = (await readAgent(client, 'count')).status
      return current?.calls === 12 && current.phase ? current : undefined
    })
    expect(status).toMatchObject({ calls: 12, denied: 3, lastAction: '2026-11-21T02:00:00Z', phase: 'Pending' })
    expect(asked[0]).toBe('/v1/counters Bearer the-token')
    const version = (await readAgent(client, 'count')).metadata.resourceVersion
    const before = asked.length
    await eventually(() => asked.length >= before + 2)
    expect((await readAgent(client, 'count')).metadata.resourceVersion).toBe(version)
    calls = 13
    await eventually(async () => (await readAgent(client, 'count')).status?.calls === 13)
    expect((await readAgent(client, 'count')).status?.conditions).toHaveLength(7)

    const freeze = { at: '2026-11-21T02:00:00.123Z', policy: 'count/billing', detail: '3 denials in a row' }
    frozen = { [metadata.uid ?? '']: freeze, stranger: freeze }
    const seen = await eventually(async () => {
      const { status } = await readAgent(client, 'count')
      return status?.frozen ? status : undefined
    })
    expect(seen).toMatchObject({ calls: 13, phase: 'Frozen', frozen: freeze })
    const reasons = Object.fromEntries((seen.conditions ?? []).map(({ type, reason }) => [type, reason]))
    expect(reasons).toMatchObject({ Ready: 'AgentFrozen', Frozen: 'BreakerOpen' })
    const at = '2026-11-21T02:00:01Z'
    const spec = { unfrozenAt: at, unfrozenBy: { username: 'ana', at } }
    await mergePatch(client, agentIdentities, { namespace: 'count', name: 'billing-bot' }, { spec })
    await eventually(async () => {
      const { status } = await readAgent(client, 'count')
      return status?.conditions?.find(({ type }) => type === 'Frozen')?.message.includes('lifted by ana')
    })
    const stored = await get(client, agentRemits, { namespace: 'count', name: 'billing-bot' })
    expect((stored as unknown as AgentRemit).spec.remit).toMatchObject({ unfrozen: { username: 'ana', at } })
  } finally {
    await second.stop()
    ledger.closeAllConnections()
    ledger.close()
  }
  const told = (await list(client, events, { namespace: 'count' })).items
  expect(told.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['BreakerOpen', 'Unfrozen']))
  expect(told[0]?.regarding).toMatchObject({ kind: 'AgentIdentity', name: 'billing-bot', uid: metadata.uid })
})

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ANNOTATION_DIGEST } from '../../lib/api/names.ts'
import { ensureBinaries } from '../../tools/cluster/binaries.ts'
import { type Apiserver, startApiserver } from '../harness/apiserver.ts'
import { createNamespace } from '../harness/world.ts'
import { valid } from './objects.ts'

const condition = (type: string) => ({
  type,
  status: 'True',
  reason: 'Running',
  message: 'The agent runs.',
  lastTransitionTime: '2026-11-21T02:00:00Z',
})

/** More than a line of a terminal has room for. */
const MEMBERS = 'ana, bo, chris, dana, edie, fred, gina, hugo, ines, jon, kim, lou, mira, nils, olga'

describe('what kubectl shows of the kinds', () => {
  let apiserver: Apiserver
  let kubectl: (...args: string[]) => Promise<string>
  const lines = async (...args: string[]) => (await kubectl(...args)).trimEnd().split('\n')
  const cells = (line: string | undefined) => (line ?? '').split(/ {2,}/)

  beforeAll(async () => {
    apiserver = await startApiserver({ crds: true })
    const { kubectl: binary } = await ensureBinaries(['kubectl'])
    const kubeconfig = join(apiserver.dir, 'kubeconfig')
    writeFileSync(kubeconfig, await apiserver.kubeconfig(), { mode: 0o600 })
    const run = promisify(execFile)
    const home = { HOME: apiserver.dir, PATH: process.env.PATH }
    kubectl = async (...args) =>
      (await run(binary, ['--kubeconfig', kubeconfig, '-n', 'payments', ...args], { env: home })).stdout

    await createNamespace(apiserver.client, 'payments')
    const group = { ...valid.OwnerGroup(), metadata: { name: 'billing', namespace: 'payments' } }
    const agent = valid.AgentIdentity()
    agent.spec.ownerRef.name = 'billing'
    const remit = { ...valid.AgentRemit() }
    const objects = [group, agent, valid.AgentPolicy(), valid.ClusterAgentPolicy(), remit]
    const file = join(apiserver.dir, 'objects.json')
    const digest = { annotations: { [ANNOTATION_DIGEST]: '0123456789ab' } }
    Object.assign(remit.metadata, digest)
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
    await kubectl('apply', '-f', file)
    const status = (kind: string, name: string, value: object) =>
      kubectl('patch', kind, name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status: value }))
    await status('agent', 'billing-bot', {
      onCall: 'ana',
      policy: 'billing',
      calls: 1234,
      denied: 56,
      lastAction: new Date(Date.now() - 125_000).toISOString(),
      podName: 'agent-billing-bot',
      conditions: [condition('Ready')],
    })
    await status('ownergroup', 'billing', { onCall: 'ana', onCallUntil: '2026-11-23T08:00:00Z', members: MEMBERS })
    await status('agentpolicy', 'billing', { rules: 4, agents: 1, conditions: [condition('Accepted')] })
    await status('clusteragentpolicy', 'floor', { rules: 1, agents: 1, conditions: [condition('Accepted')] })
  }, 120_000)
  afterAll(() => apiserver?.stop())

  it('answers who, whose, under what and how much, at 80 columns', async () => {
    const output = await lines('get', 'agents')
    expect(cells(output[0])).toEqual(['NAME', 'READY', 'OWNER', 'ON CALL', 'POLICY', 'CALLS', 'DENIED', 'LAST', 'AGE'])
    const row = cells(output[1])
    expect(row.slice(0, 7)).toEqual(['billing-bot', 'True', 'billing', 'ana', 'billing', '1234', '56'])
    expect(row[7]).toMatch(/^2m/)
    for (const line of output) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('says more with -o wide', async () => {
    const [head, row] = await lines('get', 'agent', '-o', 'wide')
    expect(cells(head).slice(9)).toEqual(['POD', 'RESTARTS', 'CREATED BY', 'REASON', 'AGENT ID'])
    expect(row).toContain('agent-billing-bot')
    expect(row).toContain('ana@corp.example')
  })

  it('shows of the other kinds what they are for', async () => {
    const row = async (kind: string) => (await lines('get', kind)).map((line) => cells(line).slice(0, -1))
    expect(await row('ownergroups')).toEqual([
      ['NAME', 'ON CALL', 'UNTIL'],
      ['billing', 'ana', '2026-11-23T08:00:00Z'],
    ])
    expect(await lines('get', 'ownergroups', '-o', 'wide')).toEqual([
      expect.stringMatching(/ MEMBERS$/),
      expect.stringMatching(new RegExp(` ${MEMBERS}$`)),
    ])
    const policy = ['NAME', 'MODE', 'RULES', 'AGENTS', 'ACCEPTED']
    expect(await row('agentpolicies')).toEqual([policy, ['billing', 'Enforce', '4', '1', 'True']])
    expect(await row('clusteragentpolicies')).toEqual([policy, ['floor', 'Enforce', '1', '1', 'True']])
    expect((await row('agentremits')).map((each) => each.slice(0, 3))).toEqual([
      ['NAME', 'GENERATION', 'DIGEST'],
      ['billing-bot', '7', '0123456789ab'],
    ])
    for (const kind of ['ownergroups', 'agentpolicies', 'clusteragentpolicies', 'agentremits'])
      for (const line of await lines('get', kind)) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('lists all of them as kubectl get remit', async () => {
    const names = await lines('get', 'remit', '-o', 'name')
    expect(names.map((name) => name.split('.')[0]).sort()).toEqual([
      'agentidentity',
      'agentpolicy',
      'agentremit',
      'clusteragentpolicy',
      'ownergroup',
    ])
  })

  it('explains a field deep inside', async () => {
    const text = (await kubectl('explain', 'agentpolicy.spec.tools.where.max')).replaceAll(/\s+/g, ' ')
    expect(text).toContain('A decimal in quotes, such as "50.00"')
  })

  it('refuses a misspelt field by name', async () => {
    const file = join(apiserver.dir, 'misspelt.json')
    writeFileSync(file, JSON.stringify({ ...valid.AgentPolicy(), spec: { mdoe: 'Observe' } }))
    await expect(kubectl('apply', '-f', file)).rejects.toThrow('unknown field "spec.mdoe"')
  })
})

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { create } from '../../lib/kube/objects.ts'
import { agentIdentities, ownerGroups, pathOf } from '../../lib/kube/resources.ts'
import { type Apiserver, startApiserver } from '../harness/apiserver.ts'
import { freePorts } from '../harness/ports.ts'
import { type ManagedProcess, startProcess } from '../harness/process.ts'
import { createNamespace } from '../harness/world.ts'
import { type Billing, createWorld, POLICY, startBilling, TOKEN, waitForPort } from '../sidecar/world.ts'
import { type Bundle, buildBundle, NODE } from './bundle.ts'

let bundle: Bundle
let dir: string
let file: string
beforeAll(async () => {
  bundle = await buildBundle()
  dir = bundle.dir
  file = bundle.file
})
afterAll(() => bundle?.close())

const remit: Bundle['remit'] = (...args) => bundle.remit(...args)

describe('what a person reads and a script gets', () => {
  test('--help names every command', async () => {
    const { code, stdout } = await remit(['--help'])
    expect(code).toBe(0)
    for (const command of ['gate', 'timeline', 'why', 'oncall', 'policy', 'doctor', 'complete'])
      expect(stdout).toContain(command)
  })

  test.each([
    ['an unknown command, with the one that was meant', ['wy'], 2, 'Did you mean why?'],
    ['a missing option', ['gate'], 2, "required option '--policy <file...>'"],
    ['a wrong duration', ['timeline', 'x', '--since', '1 hour'], 2, 'such as 30m'],
    ['no agent and no directory', ['timeline'], 2, 'name an agent, or a directory with --data'],
    ['no agent to replay', ['policy', 'replay', '--policy', 'x.yaml'], 2, 'name an agent with --agent'],
    ['no policy to replay', ['policy', 'replay', '--agent', 'x'], 2, "required option '--policy <file...>'"],
    ['a policy file that is not there', ['gate', '--policy', '/nowhere.yaml', '--port', '0'], 1, '/nowhere.yaml'],
    ['a receipt that is not there', ['why', 'abc-1', '--data', '.'], 3, 'abc-1'],
    ['no kubeconfig', ['timeline', 'x'], 5, 'there is no kubeconfig'],
    ['a cluster that does not answer', ['oncall', 'x', '--kubeconfig', 'KUBECONFIG'], 5, 'ECONNREFUSED'],
  ])('%s', async (_, args, code, text) => {
    const kubeconfig = join(dir, 'nobody')
    const cluster = { name: 'c', cluster: { server: 'https://127.0.0.1:9' } }
    const context = { name: 'c', context: { cluster: 'c', user: 'c' } }
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [cluster],
      contexts: [context],
      users: [{ name: 'c', user: {} }],
      'current-context': 'c',
    }
    writeFileSync(kubeconfig, JSON.stringify(config))
    const result = await remit(args.map((arg) => (arg === 'KUBECONFIG' ? kubeconfig : arg)))
    expect(result.stderr).toContain(text)
    expect(result.stderr).not.toContain('    at ')
    expect(result.code).toBe(code)
  })

  test('completion is offered for three shells, and completes', async () => {
    // Under the name that the file has, which is also the one that is called back.
    for (const shell of ['bash', 'zsh', 'fish'])
      expect((await remit(['complete', shell])).stdout).toMatch(/^.*\bkubectl-remit complete -- /m)
    expect((await remit(['complete', 'bash'])).stdout).toMatch(/^complete -F \w+ kubectl-remit$/m)
    expect((await remit(['complete', '--', 'ti'])).stdout).toContain('timeline')
  })

  test('an invalid policy is told with its field, value and fix, and nothing starts', async () => {
    const policy = join(dir, 'bad.yaml')
    writeFileSync(
      policy,
      'apiVersion: remit.dev/v1alpha1\nkind: AgentPolicy\nmetadata: {name: x}\nspec: {tools: [{name: a, match: {tools: ["*"]}, effect: Alow}]}\n',
    )
    const { code, stderr } = await remit(['gate', '--policy', policy, '--port', '0', '--data', join(dir, 'none')])
    expect(code).toBe(1)
    expect(stderr).toContain('spec.tools[0].effect')
    expect(stderr).toContain('Alow')
    expect(stderr).toContain('Allow')
  })
})

describe('the gate, and what is asked of its directory', () => {
  const world = createWorld()
  let billing: Billing
  let gate: ManagedProcess
  let data: string
  let client: Client

  beforeAll(async () => {
    billing = await startBilling(world)
    const [port = 0] = await freePorts(1)
    data = world.path('data')
    writeFileSync(world.path('policy.yaml'), POLICY)
    writeFileSync(world.path('token'), TOKEN, { mode: 0o600 })
    const args = [
      'gate',
      '--policy',
      world.path('policy.yaml'),
      '--server',
      `billing=${billing.url}`,
      '--credential',
      `billing=${world.path('token')}`,
    ]
    gate = await startProcess({
      command: NODE,
      args: [file, ...args, '--port', String(port), '--data', data, '--owner', 'ana'],
      logFile: world.path('gate.log'),
      env: { PATH: process.env.PATH, HOME: dir },
    })
    world.onClose(() => gate.stop())
    await waitForPort(port)
    client = new Client({ name: 'test', version: '0' })
    await client.connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp/billing`)))
    world.onClose(() => client.close())
  })
  afterAll(() => world.close())

  test('a refund too large waits for the owner; why and timeline tell it', async () => {
    const denied = await client.callTool({
      name: 'refund',
      arguments: { invoice_id: 'INV-1009', amount: 500, currency: 'EUR' },
    })
    expect(denied.isError).toBe(true)
    expect(JSON.stringify(denied.content)).toContain('waiting for ana')
    await client.callTool({ name: 'get_invoice', arguments: { invoice_id: 'INV-1009' } })
    expect(billing.calls().map(({ tool }) => tool)).toEqual(['get_invoice'])

    const receipt = String((denied._meta as Record<string, unknown>)['dev.remit/receipt'])
    const why = await remit(['why', receipt, '--data', data])
    expect(why.code).toBe(0)
    expect(why.stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(20)
    for (const part of ['billing/refund', '500', 'small-refunds', 'ana', 'Waiting']) expect(why.stdout).toContain(part)
    expect(JSON.parse((await remit(['why', receipt, '--data', data, '-o', 'json'])).stdout)).toMatchObject({
      name: receipt,
      intent: { body: { decision: { effect: 'Ask' } } },
    })

    const timeline = await remit(['timeline', '--data', data])
    expect(timeline.stdout).toMatch(/Ask +waiting +small-refunds/)
    expect(timeline.stdout).toMatch(/Allow +ok +reads/)
  })

  test('the policy suggested from what was done starts a gate', async () => {
    const { stdout } = await remit(['policy', 'suggest', '--data', data])
    expect(load(stdout)).toMatchObject({ kind: 'AgentPolicy', spec: { mode: 'Enforce' } })
    writeFileSync(world.path('suggested.yaml'), stdout)
    mkdirSync(world.path('second'))
    const second = await startProcess({
      command: NODE,
      args: [file, 'gate', '--policy', world.path('suggested.yaml'), '--port', '0', '--data', world.path('second')],
      logFile: world.path('second.log'),
      env: { PATH: process.env.PATH, HOME: dir },
    })
    const early = await Promise.race([
      second.exited,
      new Promise((resolve) => setTimeout(() => resolve('running'), 1_500)),
    ])
    await second.stop()
    expect(early).toBe('running')
  })

  test('what was done, replayed against another policy', async () => {
    writeFileSync(world.path('stricter.yaml'), POLICY.replace('"list_*"], ', '"list_*"],').replace('"get_*", ', ''))
    const replay = (...args: string[]) => remit(['policy', 'replay', '--data', data, '--policy', ...args])
    const same = await replay(world.path('policy.yaml'), '--exit-code')
    expect([same.code, same.stdout]).toEqual([
      0,
      expect.stringContaining('2 replayed against policy.yaml: nothing changes.'),
    ])
    expect((await replay(world.path('policy.yaml'), '-o', 'diff')).stdout).toBe('')

    const stricter = world.path('stricter.yaml')
    const table = await replay(stricter)
    expect(table.code).toBe(0)
    expect(table.stdout).toMatch(/^billing\/get_invoice +1 +0 +0 +0 +1 +1 Allow -> Deny$/m)
    expect(table.stdout).toMatch(/^billing\/refund +1 +0 +0 +1 +0 +-$/m)
    expect((await replay(stricter, '--exit-code')).code).toBe(1)
    expect((await replay(stricter, '-o', 'diff')).stdout).toContain('+Deny: No rule allows billing/get_invoice.')
    expect((await replay(stricter, '-o', 'markdown')).stdout).toContain('```diff\n--- as recorded\n+++ stricter.yaml\n')
    expect(JSON.parse((await replay(stricter, '-o', 'json')).stdout)).toMatchObject({
      calls: 2,
      replayed: 2,
      cannotBeReplayed: {},
      changed: [
        { server: 'billing', tool: 'get_invoice', was: { effect: 'Allow' }, now: { effect: 'Deny' }, wider: false },
      ],
    })
  })

  test('a second gate on the same directory is refused with a reason', async () => {
    const { code, stderr } = await remit(['gate', '--policy', world.path('policy.yaml'), '--port', '0', '--data', data])
    expect(code).toBe(2)
    expect(stderr).toContain(data)
  })
})

describe('against an API server', () => {
  let server: Apiserver
  let kubeconfig: string
  beforeAll(async () => {
    server = await startApiserver({ crds: true })
    kubeconfig = join(dir, 'kubeconfig')
    writeFileSync(kubeconfig, await server.kubeconfig(), { mode: 0o600 })
    await createNamespace(server.client, 'payments')
    const rotation = {
      timeZone: 'Europe/Berlin',
      start: '2026-10-05T09:00',
      every: { count: 1, unit: 'Week' },
      order: [['ana'], ['bo']],
    }
    const members = [{ name: 'ana', contacts: { email: 'ana@corp.example' } }, { name: 'bo' }]
    const group = {
      apiVersion: 'remit.dev/v1alpha1',
      kind: 'OwnerGroup',
      metadata: { name: 'billing', namespace: 'payments' },
      spec: { members, onCall: { rotation } },
    }
    await create(server.client, ownerGroups, group as never)
  }, 90_000)
  afterAll(() => server?.stop())

  test('oncall says who, how to reach them, and until when; across the hand-over', async () => {
    const at = (time: string) =>
      remit(['oncall', 'billing', '-n', 'payments', '--at', time], { KUBECONFIG: kubeconfig })
    expect((await at('2026-10-12T06:59:59Z')).stdout).toBe(
      'ana (email ana@corp.example), by rotation until 2026-10-12 07:00:00 UTC\n',
    )
    expect((await at('2026-10-12T07:00:00Z')).stdout).toMatch(/^bo \(no contact given\), by rotation until/)
  })

  test('what is not there, and what one may not see, are told apart', async () => {
    const missing = await remit(['oncall', 'nobody', '-n', 'payments'], { KUBECONFIG: kubeconfig })
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('The owner group nobody does not exist in namespace payments.'),
    })
    const stranger = join(dir, 'stranger')
    writeFileSync(stranger, await server.kubeconfig({ user: { name: 'eve@corp.example' } }), { mode: 0o600 })
    expect((await remit(['oncall', 'billing', '-n', 'payments'], { KUBECONFIG: stranger })).code).toBe(4)
  })

  test('doctor finds that only the kinds are there', async () => {
    const { code, stdout } = await remit(['doctor', '-o', 'json'], { KUBECONFIG: kubeconfig })
    expect(code).toBe(1)
    const { findings } = JSON.parse(stdout) as { findings: { check: string; level: string }[] }
    const levels = (check: string) => [...new Set(findings.filter((f) => f.check === check).map((f) => f.level))]
    expect(levels('kinds')).toEqual(['ok'])
    expect(levels('parts')).toEqual(['fail'])
    expect(levels('ledger')).toEqual(['fail'])
    expect(levels('admission')).toEqual(['fail'])
  })

  test('doctor warns of an agent that fails, not of one that is done or was stopped', async () => {
    const agent = async (name: string, reason: string) => {
      const spec = {
        ownerRef: { name: 'billing' },
        policyRefs: [{ name: 'billing' }],
        workload: { image: 'x' },
        createdBy: { username: 'ana', at: '2026-01-01T00:00:00Z' },
      }
      const metadata = { name, namespace: 'payments' }
      const kind = { apiVersion: 'remit.dev/v1alpha1', kind: 'AgentIdentity', metadata }
      await create(server.client, agentIdentities, { ...kind, spec } as never)
      const ready = {
        type: 'Ready',
        status: 'False',
        reason,
        message: 'so it is',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      }
      await server.client.request('PATCH', `${pathOf(agentIdentities, metadata)}/status`, {
        body: { status: { conditions: [ready] } },
        contentType: 'application/merge-patch+json',
      })
    }
    await agent('done', 'Completed')
    await agent('stopped', 'AgentSuspended')
    await agent('broken', 'AgentFailing')
    const { stdout } = await remit(['doctor', '-o', 'json'], { KUBECONFIG: kubeconfig })
    const { findings } = JSON.parse(stdout) as { findings: { check: string; level: string; what: string }[] }
    expect(
      findings.filter(({ check }) => check === 'agents').map(({ level, what }) => [level, what.split(':')[0]]),
    ).toEqual([
      ['warn', 'payments/broken'],
      ['ok', 'payments/done'],
      ['ok', 'payments/stopped'],
    ])
  })
})

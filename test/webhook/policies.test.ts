import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { definitionDigest } from '../../lib/core/pin.ts'
import { ensureBinaries } from '../../tools/cluster/binaries.ts'
import { createNamespace } from '../harness/world.ts'
import { type Installation, startInstallation } from './installation.ts'

// What a person reads who applies a policy with kubectl.
let installed: Installation
let apply: (spec: object, kind?: string) => Promise<{ stdout: string; stderr: string }>

beforeAll(async () => {
  installed = await startInstallation()
  const { api } = installed
  await createNamespace(api.client, 'payments')
  const { kubectl } = await ensureBinaries(['kubectl'])
  const kubeconfig = join(api.dir, 'kubeconfig')
  writeFileSync(kubeconfig, await api.kubeconfig(), { mode: 0o600 })
  const run = promisify(execFile)
  apply = async (spec, kind = 'AgentPolicy') => {
    const file = join(api.dir, 'policy.json')
    writeFileSync(file, JSON.stringify({ apiVersion: 'remit.dev/v1alpha1', kind, metadata: { name: 'p' }, spec }))
    const args = ['--kubeconfig', kubeconfig, '-n', 'payments', 'create', '--dry-run=server', '-f', file]
    return run(kubectl, args, { env: { HOME: api.dir, PATH: process.env.PATH } })
  }
}, 120_000)
afterAll(() => installed?.stop())

const REFUND = {
  name: 'refund',
  inputSchema: {
    type: 'object',
    properties: { amount: { type: 'number' }, iban: { type: 'string' } },
    additionalProperties: false,
  },
}
const pins = [{ server: 'billing', tool: 'refund', digest: definitionDigest(REFUND), definition: REFUND }]
const rule = (change: object) => ({
  name: 'refunds',
  match: { servers: ['billing'], tools: ['refund'] },
  effect: 'Allow',
  ...change,
})
const one = (change: object) => ({ tools: [rule(change)] })

describe('refused, with field, value and fix', () => {
  test.each<[object, string]>([
    [
      { ...one({ match: { servers: ['billing'], tools: ['refnud'] } }), pins },
      'spec.tools[0].match: {"servers":["billing"],"tools":["refnud"]}: can never match a tool of billing. Name one of refund, or pin the tool that is meant.',
    ],
    [
      { ...one({ where: [{ arg: 'amonut', max: '50', min: '1' }] }), pins },
      'spec.tools[0].where[0]: "amonut": always errors: by its input schema, billing/refund cannot be given "amonut". It takes "amount", "iban". Mend it, or add optional: true.',
    ],
    [
      { ...one({ where: [{ arg: 'amount', prefix: '5' }] }), pins },
      'spec.tools[0].where[0]: "amount": always errors: by its input schema, "amount" of billing/refund is a number, never a text.',
    ],
    [{ ...one({ where: [{ arg: 'amount[*]', min: '1' }] }), pins }, 'billing/refund cannot be given "amount[*]"'],
    [
      one({ class: 'Write', match: { classes: ['Read'] } }),
      'spec.tools[0].match.classes: ["Read"]: can never match: by its own class, the tools of refunds are Write or stronger. Remove class or classes.',
    ],
    [
      {
        ...one({ limits: [{ per: '24h', sum: 'amount', max: '5' }] }),
        redact: [{ match: { tools: ['re*'] }, arguments: ['amount'] }],
      },
      'spec.tools[0].limits[0].sum: "amount": is redacted, so it is not known later what it was. Take it out of redact, or let the rule go by another argument.',
    ],
    [
      { pins: [{ ...pins[0], digest: `sha256:${'0'.repeat(64)}` }] },
      'is not the digest of definition. If the definition is what you looked at, write sha256:',
    ],
    [
      one({ limits: [{ per: '32d', calls: 5 }] }),
      'spec.tools[0].limits[0].per: "32d": is not a stretch of time. Write a number and s, m, h or d, at most 31d: 10m, 24h, 1h30m.',
    ],
    [
      one({ otherwise: 'Ask' }),
      'spec.tools[0].otherwise: "Ask": is never reached: nothing of the rule can fail. Add where, fields, object, limits or evidence, or remove it.',
    ],
    [
      { readOnly: true, invariants: [{ name: 'read-only', match: { tools: ['x'] } }] },
      'spec.invariants[0].name: "read-only": is the name of what readOnly: true stands for. Give it another name.',
    ],
  ])('%j', async (spec, text) => {
    const error = await apply(spec).then(
      () => undefined,
      (reason: { stderr: string }) => reason,
    )
    expect(error?.stderr).toContain(text)
  })

  test('a ClusterAgentPolicy that gives by way of a class', async () => {
    const spec = one({ effect: undefined, class: 'Read' })
    const text = 'spec.tools[0].effect: is missing, and what a class gives cannot be given by a ClusterAgentPolicy'
    await expect(apply(spec, 'ClusterAgentPolicy')).rejects.toMatchObject({ stderr: expect.stringContaining(text) })
  })
})

describe('accepted with a warning', () => {
  test.each<[object, string]>([
    [
      one({ where: [{ arg: 'amount', max: '50' }] }),
      'spec.tools[0].where[0].max: "amount" may be zero or below. Add a min, such as min: "0.01". (NoLowerBound)',
    ],
    [
      one({ where: [{ arg: 'to', suffix: 'corp.example' }] }),
      'spec.tools[0].where[0].suffix: "corp.example" has no @ or . before it, so "evilcorp.example" ends with it too. Write "@corp.example" for mail, ".corp.example" for hosts. (DomainSuffix)',
    ],
    [
      { ...one({}), invariants: [{ name: 'never', match: { tools: ['re*'] } }] },
      'spec.tools[0]: refunds never decides: never denies every call it matches. Remove it, or narrow never. (Shadowed)',
    ],
    [
      { tools: [rule({ effect: 'Deny' }), rule({ name: 'all', match: { tools: ['*'] }, effect: 'Deny' })] },
      'spec.tools[0]: refunds only repeats all. Remove it, or narrow all. (Repeats)',
    ],
    [
      one({ where: [{ arg: 'id', pattern: 'T-[0-9]+' }] }),
      'spec.tools[0].where[0].pattern: is found anywhere in the text, with anything before and after it. Begin each alternative with ^ and end it with $. (Unanchored)',
    ],
    [
      one({ where: [{ arg: 'id', pattern: '^T-.*$' }] }),
      'spec.tools[0].where[0].pattern: has a part that takes any characters. Say which characters are meant, such as [a-z0-9-]+ instead of .*. (Wildcard)',
    ],
    [
      one({ class: 'Write' }),
      'spec.tools[0]: refunds lets a Write run without fields and object. List the arguments under fields, and say under object what it changes, so that the change is recorded. (WriteUncontrolled)',
    ],
    [
      one({ class: 'SideEffect' }),
      'spec.tools[0]: refunds has no limits of its own: 60 calls in 1m and 1000 in 24h apply. Write limits: [{per: 24h, calls: 20}], or what fits. (DefaultLimits)',
    ],
    [
      one({ class: 'Autonomous' }),
      'spec.tools[0]: refunds lets autonomous work run, and this policy has no breaker. Add breaker: {errors: 5, denials: 10} to the policy. (NoBreaker)',
    ],
    [
      { egress: { hosts: ['api.model.example:443'] } },
      'spec.egress.hosts: opens nothing until there is an egress gateway. Use egress.cidrs, or a declared server. (EgressHosts)',
    ],
  ])('%j', async (spec, text) => {
    const { stdout, stderr } = await apply(spec)
    expect(stdout).toContain('agentpolicy.remit.dev/p created (server dry run)')
    expect(stderr.trimEnd().split('\n')).toEqual([`Warning: ${text}`])
  })

  test('and without one where there is none', async () => {
    expect((await apply(one({}))).stderr).toBe('')
  })
})

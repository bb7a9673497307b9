import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { IntentBody } from '../../../lib/api/receipt.ts'
import { repoRoot } from '../../../tools/cluster/config.ts'
import { waitLine } from '../../e2e/support/agents.ts'
import { type JournalEntry, journalOf, traceIdOf } from '../../e2e/support/billing.ts'
import { agentOf, teamWithoutAgents } from '../../e2e/support/company.ts'
import { apply, ok } from '../../e2e/support/kubectl.ts'
import { visitor } from '../../e2e/support/probe.ts'
import { intentsIn, receiptName, receiptsOf, resultsIn } from '../../e2e/support/receipts.ts'
import { dropNamespaces, makeNamespace } from '../../e2e/support/world.ts'
import { eventually } from '../../harness/eventually.ts'
import type { CompatClient } from '../clients.ts'
import type { Seen } from '../judge.ts'
import { POD_CASES, type PodCase, type PodCell } from './cases.ts'
import { IMAGE } from './image.ts'

const INVOICE = 'INV-1007'
const OFFERED = 'get_invoice,list_invoices,refund'
const PLAYS: { case: PodCase; tool: string; arguments: object; llm: true }[] = [
  { case: 'allow', tool: 'get_invoice', arguments: { invoice_id: INVOICE }, llm: true },
  { case: 'deny', tool: 'refund', arguments: { invoice_id: INVOICE, amount: 500, currency: 'EUR' }, llm: true },
  { case: 'hidden', tool: 'delete_invoice', arguments: { invoice_id: INVOICE }, llm: true },
]

const policy = (namespace: string) => ({
  apiVersion: 'remit.dev/v1alpha1',
  kind: 'AgentPolicy',
  metadata: { name: 'compat', namespace },
  spec: {
    tools: [
      { name: 'reads', match: { servers: ['desk'], tools: ['get_*', 'list_*'] }, effect: 'Allow' },
      {
        name: 'small-refunds',
        match: { servers: ['desk'], tools: ['refund'] },
        effect: 'Allow',
        where: [{ arg: 'amount', min: '0.01', max: '50.00' }],
      },
    ],
    invariants: [{ name: 'never-delete', match: { tools: ['delete_*'] } }],
  },
})

/** The scripted models in a pod of their own, behind a Service. */
const serveModels = async (namespace: string): Promise<void> => {
  const dir = join(repoRoot, 'test/fixtures/models')
  const files = ['main.ts', 'script.ts', 'openai.ts', 'anthropic.ts']
  const data = Object.fromEntries(files.map((name) => [name, readFileSync(join(dir, name), 'utf8')]))
  const pod = visitor(namespace, 'models', { app: 'models' })
  const container = {
    ...pod.spec.containers[0],
    command: ['/usr/bin/node', '/srv/main.ts'],
    env: [{ name: 'HOST', value: '0.0.0.0' }],
    ports: [{ containerPort: 8080 }],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
    volumeMounts: [{ name: 'program', mountPath: '/srv' }],
  }
  await apply(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'models', namespace },
      data: { ...data, 'package.json': '{"type":"module"}' },
    },
    {
      ...pod,
      spec: { ...pod.spec, containers: [container], volumes: [{ name: 'program', configMap: { name: 'models' } }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'models', namespace },
      spec: { selector: { app: 'models' }, ports: [{ port: 8080 }] },
    },
  )
  await ok(['wait', '-n', namespace, '--for=condition=Ready', 'pod/models', '--timeout=60s'])
}

const applyAgent = (namespace: string, client: CompatClient) =>
  apply(
    agentOf({
      name: client.name,
      namespace,
      spec: {
        policyRefs: [{ name: 'compat' }],
        servers: [
          {
            name: 'desk',
            service: { name: 'billing-mcp', port: 8080, path: '/mcp' },
            credentialRef: { name: 'billing-token', key: 'token' },
          },
        ],
        models: [{ name: 'main', service: { name: 'models', port: 8080, path: '/v1' } }],
      },
      workload: {
        image: IMAGE,
        command: ['/usr/bin/python3', `/app/clients/${client.script.split('/').at(-1)}`, JSON.stringify(PLAYS)],
        env: [{ name: 'PYTHONPATH', value: `/app/${client.name}` }],
        resources: { requests: { cpu: '10m', memory: '128Mi' } },
      },
    }),
  )

type Intent = ReturnType<typeof intentsIn>[number]
const isTool = (body: IntentBody, tool: string) => body.call.type === 'tool' && body.call.tool === tool

const faultsOf = (
  name: PodCase,
  seen: Seen,
  intents: Intent[],
  done: Set<string>,
  journal: JournalEntry[],
): string[] => {
  const { tool } = PLAYS.find((play) => play.case === name)!
  const [first, ...more] = intents.filter(({ body }) => isTool(body, tool))
  const made = journal.filter((entry) => traceIdOf(entry) === first?.body.trace?.traceId)
  const effect = first?.body.decision.effect
  const checks: Record<PodCase, [boolean, string][]> = {
    allow: [
      [seen.listed.toSorted().join() === OFFERED, `the agent was offered ${seen.listed}`],
      [seen.text.includes(INVOICE) && !seen.error, `the agent saw ${JSON.stringify(seen.text.slice(0, 300))}`],
      [effect === 'Allow' && done.has(receiptName(first!.envelope)), `the record says ${effect} and no good end`],
      [made.length === 1, `the server was asked ${made.length} times`],
    ],
    deny: [
      [seen.text.includes('50.00'), `the agent saw ${JSON.stringify(seen.text.slice(0, 300))}`],
      [effect === 'Deny', `the record says ${effect}`],
      [made.length === 0, 'the server was asked'],
    ],
    // The framework refuses what was never offered; if it does not, the gate does.
    hidden: [
      [effect === undefined || effect === 'Deny', `the record says ${effect}`],
      [made.length === 0, 'the server was asked'],
    ],
  }
  const always: [boolean, string][] = [[more.length === 0, `the record has ${tool} ${more.length + 1} times`]]
  return [...always, ...checks[name]].filter(([holds]) => !holds).map(([, otherwise]) => otherwise)
}

const playOne = async (namespace: string, client: CompatClient): Promise<PodCell[]> => {
  await applyAgent(namespace, client)
  const line = (name: PodCase) => waitLine(namespace, client.name, new RegExp(`^\\{"case": "${name}"`), 120_000)
  const seen: Seen[] = []
  for (const name of POD_CASES) seen.push(JSON.parse(await line(name)) as Seen)
  // Each case asks the model what to do, and again with what the tool said; for one that does not exist some do not.
  const questions = 2 * POD_CASES.length - 1
  const [intents, done, thoughts] = await eventually(
    async () => {
      const receipts = await receiptsOf(namespace, client.name)
      const intents = intentsIn(receipts)
      const done = new Set(resultsIn(receipts).flatMap(({ body }) => (body.outcome === 'ok' ? [body.intent] : [])))
      const thoughts = intents.filter(
        ({ body, envelope }) => body.call.type === 'model' && done.has(receiptName(envelope)),
      )
      return thoughts.length >= questions && ([intents, done, thoughts] as const)
    },
    { timeoutMs: 30_000, everyMs: 250, what: `the record of what ${client.name} asked its model` },
  )
  const journal = await journalOf(namespace)
  return seen.map((one, index) => {
    const name = POD_CASES[index]!
    const faults = faultsOf(name, one, intents, done, journal)
    return { client: client.name, case: name, faults: thoughts.length ? faults : [...faults, 'no model was asked'] }
  })
}

/** Plays what can be played in pods with agents of these frameworks, on the cluster that the environment names. */
export const playPods = async (clients: readonly CompatClient[]): Promise<PodCell[]> => {
  const namespace = await makeNamespace('compat')
  try {
    await apply(...teamWithoutAgents('payments', namespace), policy(namespace))
    await serveModels(namespace)
    const cells: PodCell[] = []
    for (const client of clients)
      cells.push(
        ...(await playOne(namespace, client).catch((error: Error) =>
          POD_CASES.map((name) => ({ client: client.name, case: name, faults: [error.message] })),
        )),
      )
    return cells
  } finally {
    await dropNamespaces(namespace)
  }
}

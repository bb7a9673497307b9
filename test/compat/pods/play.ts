import { loadAll } from 'js-yaml'
import type { Receipt } from '../../../lib/api/receipt.ts'
import { logOf, waitLine } from '../../e2e/support/agents.ts'
import { agentOf, teamWithoutAgents } from '../../e2e/support/company.ts'
import { apply } from '../../e2e/support/kubectl.ts'
import { intentsIn, orphansIn, receiptName, receiptsOf, resultsIn } from '../../e2e/support/receipts.ts'
import { dropNamespaces, makeNamespace } from '../../e2e/support/world.ts'
import { eventually } from '../../harness/eventually.ts'
import { ERAS, type Era, PLAYS, POLICY } from '../cases.ts'
import type { CompatClient } from '../clients.ts'
import { type Cell, cellsOf } from '../play.ts'
import { journalOfDesk, serveDesk } from './desk.ts'
import { serveModels } from './models.ts'

/** An agent of the payments team that asks the models' pod what to do. */
export const pythonAgent = (options: {
  namespace: string
  name: string
  image: string
  client: Pick<CompatClient, 'pins' | 'script'>
  policy: string
  plays: readonly object[]
  server: { name: string; port: number; token?: string }
}) => {
  const { namespace, name, image, client, policy, plays, server } = options
  const credentialRef = server.token ? { credentialRef: { name: server.token, key: 'token' } } : {}
  const script = JSON.stringify(plays.map((play) => ({ ...play, llm: true })))
  return agentOf({
    name,
    namespace,
    spec: {
      policyRefs: [{ name: policy }],
      servers: [{ name: 'desk', service: { name: server.name, port: server.port, path: '/mcp' }, ...credentialRef }],
      models: [{ name: 'main', service: { name: 'models', port: 8080, path: '/v1' } }],
    },
    workload: {
      image,
      command: ['/usr/bin/python3', `/app/clients/${client.script.split('/').at(-1)}`, script],
      env: [{ name: 'PYTHONPATH', value: `/app/${client.pins}` }],
      resources: { requests: { cpu: '10m', memory: '128Mi' } },
    },
  })
}

/** The team without its server: owner group, secret and what else its agents refer to. */
export const applyTeam = async (namespace: string, policy: string): Promise<void> => {
  const policies = (loadAll(policy) as { metadata: object }[]).map((object) => ({
    ...object,
    metadata: { ...object.metadata, namespace },
  }))
  const owners = teamWithoutAgents('payments', namespace).filter(({ kind }) => kind === 'OwnerGroup')
  await apply(...owners, ...policies)
  await serveModels(namespace)
}

/** The receipts of an agent that calls nobody any more, once each allowed call has its end. */
export const settledReceipts = (namespace: string, agent: string): Promise<Receipt[]> =>
  eventually(
    async () => {
      const receipts = await receiptsOf(namespace, agent)
      const ended = new Set([...resultsIn(receipts), ...orphansIn(receipts)].map(({ body }) => body.intent))
      const made = intentsIn(receipts).filter(({ body }) => body.decision.effect === 'Allow')
      return made.length > 0 && made.every(({ envelope }) => ended.has(receiptName(envelope))) && receipts
    },
    { timeoutMs: 30_000, everyMs: 500, what: `the record of ${agent} has an end for each call` },
  )

/** Longer than all cases together, on a machine that starts other pods meanwhile. */
const PATIENCE_MS = 240_000

const playOne = async (namespace: string, image: string, client: CompatClient, era: Era): Promise<Cell[]> => {
  const name = `${client.name}-${era}`
  const desk = `desk-of-${name}`
  await serveDesk(namespace, desk, era)
  const server = { name: desk, port: 8080 }
  await apply(pythonAgent({ namespace, name, image, client, policy: 'desk', plays: PLAYS, server }))
  const last = PLAYS.at(-1)!.case
  // Whatever it said until then is told with the first case that it said nothing of.
  await waitLine(namespace, name, new RegExp(`^\\{"case": "${last}"`), PATIENCE_MS).catch(() => {})
  const receipts = await settledReceipts(namespace, name)
  return cellsOf(client, era, {
    log: await logOf(namespace, name),
    receipts,
    journal: await journalOfDesk(namespace, desk),
  })
}

/** As many as two cores start without waiting for each other. */
const AT_A_TIME = 2

/**
 * Plays all cases with agents of these frameworks in pods, on the cluster that the environment names: each before a
 * server of its own, with the scripted models behind `/llm`.
 */
export const playPods = async (
  clients: readonly CompatClient[],
  image: string,
  say: (text: string) => void,
): Promise<Cell[]> => {
  const namespace = await makeNamespace('compat')
  try {
    await applyTeam(namespace, POLICY)
    const runs = clients.flatMap((client) => ERAS.map((era) => ({ client, era })))
    const waiting = [...runs]
    const cells: Cell[] = []
    const worker = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { client, era } = next
        const failed = (error: Error) =>
          PLAYS.map((play) => ({ client: client.name, era, case: play.case, faults: [error.message] }))
        cells.push(...(await playOne(namespace, image, client, era).catch(failed)))
        say(`${cells.length / PLAYS.length} of ${runs.length}`)
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, worker))
    return cells
  } finally {
    await dropNamespaces(namespace)
  }
}

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadAll } from 'js-yaml'
import { repoRoot } from '../../../tools/cluster/config.ts'
import { logOf, waitLine } from '../../e2e/support/agents.ts'
import { apply, ok } from '../../e2e/support/kubectl.ts'
import { intentsIn, receiptName, resultsIn } from '../../e2e/support/receipts.ts'
import { dropNamespaces, makeNamespace } from '../../e2e/support/world.ts'
import type { CompatClient } from '../clients.ts'
import { BRIDGE_CASES, type BridgeCase, type BridgeCell } from './bridge-cases.ts'
import { applyTeam, pythonAgent, settledReceipts } from './play.ts'

const NAME = 'sqlite-mcp'
const TOKEN = `${NAME}-token`
const ENDLESS = 'SELECT count(*) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n)'
const play = (name: BridgeCase, query: string) => ({ case: name, tool: 'read_query', arguments: { query } })
const PLAYS = [
  play('allow', "SELECT 'allow is ' || 'open' AS answer"),
  play('deny', 'PRAGMA journal_mode'),
  play('dies', ENDLESS),
  play('back', "SELECT 'back is ' || 'open' AS answer"),
]

const POLICY = `apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: books}
spec:
  tools:
  - name: questions
    match: {servers: [desk], tools: [read_query]}
    effect: Allow
    where: [{arg: query, prefix: SELECT}]
`

/** The server as docs/bridge.md has it, with another program in its container. */
const deployment = (namespace: string, image: string): object[] => {
  const page = readFileSync(join(repoRoot, 'docs/bridge.md'), 'utf8')
  const [, text = ''] = /^```yaml\n([\s\S]*?)^```/m.exec(page) ?? []
  const changes = [
    ['registry.example/remit/sidecar:0.1.0', 'remit.local/sidecar:dev'],
    ['registry.example/git-mcp:1', image],
    ['[mcp-server-git, --repository, /repo]', '[mcp-server-sqlite, --db-path, /tmp/books.db]'],
    ['namespace: payments', `namespace: ${namespace}`],
    ['git-mcp', NAME],
  ] as const
  const changed = changes.reduce((yaml, [from, to]) => {
    if (!yaml.includes(from)) throw new Error(`docs/bridge.md has no ${from} any more`)
    return yaml.replaceAll(from, to)
  }, text)
  return loadAll(changed) as object[]
}

/** Waits in the server's container until the server computes for seconds, as it does only in an endless query, and kills it. */
const KILL = `
import os, signal, time
def used(pid):
    try:
        if open(f"/proc/{pid}/cmdline").read().split("\\0")[1:2] == ["/usr/bin/mcp-server-sqlite"]:
            return int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[11]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        pass
first = {}
while True:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        now = used(pid)
        if now is not None and now > first.setdefault(pid, now) + 3:
            os.kill(int(pid), signal.SIGKILL)
            raise SystemExit
    time.sleep(0.1)
`

interface Seen {
  case: BridgeCase
  text: string
  error: boolean
}

const judge = async (namespace: string, client: string): Promise<BridgeCell[]> => {
  const receipts = await settledReceipts(namespace, client)
  const seen = (await logOf(namespace, client))
    .split('\n')
    .filter((line) => line.startsWith('{"case"'))
    .map((line) => JSON.parse(line) as Seen)
  const tools = intentsIn(receipts).filter(({ body }) => body.call.type === 'tool')
  const wanted: Record<BridgeCase, { effect: string; outcome: string | undefined; says: string }> = {
    allow: { effect: 'Allow', outcome: 'ok', says: 'allow is open' },
    deny: { effect: 'Deny', outcome: undefined, says: 'SELECT' },
    dies: { effect: 'Allow', outcome: 'unreachable', says: 'Whether the call took effect is unknown' },
    back: { effect: 'Allow', outcome: 'ok', says: 'back is open' },
  }
  return PLAYS.map(({ case: name, arguments: args }) => {
    const text = seen.find((one) => one.case === name)?.text ?? ''
    const [intent, ...more] = tools.filter(
      ({ body }) => body.call.type === 'tool' && JSON.stringify(body.call.arguments) === JSON.stringify(args),
    )
    const effect = intent?.body.decision.effect
    const outcome =
      intent && resultsIn(receipts).find(({ body }) => body.intent === receiptName(intent.envelope))?.body.outcome
    const { says, ...recorded } = wanted[name]
    const checks: [boolean, string][] = [
      [more.length === 0, `the record has it ${more.length + 1} times`],
      [effect === recorded.effect && outcome === recorded.outcome, `the record says ${effect}, ${outcome}`],
      [text.includes(says), `the agent saw ${JSON.stringify(text.slice(0, 300))}`],
    ]
    return { client, case: name, faults: checks.filter(([holds]) => !holds).map(([, otherwise]) => otherwise) }
  })
}

/** An agent in a pod, named as its client. */
const playOne = async (namespace: string, image: string, client: CompatClient): Promise<BridgeCell[]> => {
  const { name } = client
  const server = { name: NAME, port: 8080, token: TOKEN }
  await apply(pythonAgent({ namespace, name, image, client, policy: 'books', plays: PLAYS, server }))
  await waitLine(namespace, name, /^\{"case": "deny"/, 120_000)
  const inServer = ['exec', '-n', namespace, `deploy/${NAME}`, '-c', 'server', '--']
  await ok([...inServer, '/usr/bin/python3', '-c', KILL], { timeoutMs: 60_000 })
  await waitLine(namespace, name, /^\{"case": "back"/, 60_000)
  return judge(namespace, name)
}

/** Agents in pods, before mcp-server-sqlite behind the bridge, which dies during a call of each and comes back. */
export const playBridge = async (
  clients: readonly CompatClient[],
  agentsImage: string,
  serverImage: string,
  say: (text: string) => void,
): Promise<BridgeCell[]> => {
  const namespace = await makeNamespace('bridge')
  try {
    await applyTeam(namespace, POLICY)
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: TOKEN, namespace },
      stringData: { token: randomBytes(16).toString('hex') },
    }
    await apply(secret, ...deployment(namespace, serverImage))
    await ok(['wait', '-n', namespace, '--for=condition=Available', `deploy/${NAME}`, '--timeout=90s'])
    const cells: BridgeCell[] = []
    // One after the other: they share the server that is killed.
    for (const client of clients) {
      const failed = (error: Error) =>
        BRIDGE_CASES.map((one) => ({ client: client.name, case: one, faults: [error.message] }))
      cells.push(...(await playOne(namespace, agentsImage, client).catch(failed)))
      say(client.name)
    }
    return cells
  } finally {
    await dropNamespaces(namespace)
  }
}

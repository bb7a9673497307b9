import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Receipt } from '../../lib/api/receipt.ts'
import { createLogger } from '../../lib/service/log.ts'
import { type Standalone, type StandaloneOptions, startStandalone } from '../../sidecar/standalone.ts'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { type ManagedProcess, type ProcessOptions, startProcess } from '../harness/process.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
export const TOKEN = 'billing-secret-of-the-test'
export const silent = createLogger({ part: 'test', level: 'silent' })

/** A directory that is gone after `close`, with everything started in it. */
export interface World {
  dir: string
  path: (name: string) => string
  onClose: (fn: () => Promise<unknown> | unknown) => void
  close: () => Promise<void>
}
export const createWorld = (): World => {
  const dir = mkdtempSync(join(tmpdir(), 'remit-sidecar-'))
  const steps: (() => Promise<unknown> | unknown)[] = []
  return {
    dir,
    path: (name) => join(dir, name),
    onClose: (fn) => void steps.push(fn),
    close: async () => {
      for (const step of steps.reverse()) await step()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export const waitForPort = (port: number) =>
  eventually(
    () =>
      new Promise<true>((resolve, reject) => {
        const socket = createConnection({ port, host: '127.0.0.1' }, () => {
          socket.destroy()
          resolve(true)
        })
        socket.once('error', reject)
      }),
    { timeoutMs: 20_000 },
  )

/** Runs a script of the repository with this Node, and ends it with the world. */
export const runScript = async (
  world: World,
  script: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  name: string,
): Promise<ManagedProcess> => {
  const options: ProcessOptions = {
    command: process.execPath,
    args: [isAbsolute(script) ? script : join(root, script), ...args],
    logFile: world.path(`${name}.log`),
    env,
  }
  const child = await startProcess(options)
  world.onClose(() => child.stop(2_000))
  return child
}

export interface Billing {
  url: string
  child: ManagedProcess
  /** What the server was really asked to do, in order. */
  calls: () => { tool: string; arguments: Record<string, unknown>; traceparent?: string }[]
  invoices: () => { id: string; refunded: number }[]
}

/** The billing server of the fixtures, a process of its own. */
export const startBilling = async (world: World): Promise<Billing> => {
  const [port = 0] = await freePorts(1)
  const data = world.path(`books-${port}`)
  const child = await runScript(
    world,
    'test/fixtures/servers/billing/main.ts',
    [],
    { PORT: String(port), DATA_DIR: data, BILLING_TOKEN: TOKEN },
    'billing',
  )
  await waitForPort(port)
  const lines = () => {
    try {
      return readFileSync(join(data, 'calls.ndjson'), 'utf8').trim().split('\n')
    } catch {
      return []
    }
  }
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    child,
    calls: () =>
      lines()
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    invoices: () => JSON.parse(readFileSync(join(data, 'invoices.json'), 'utf8')),
  }
}

/** The unmodified reference server. */
export const startEverything = async (world: World): Promise<string> => {
  const [port = 0] = await freePorts(1)
  await runScript(
    world,
    'node_modules/@modelcontextprotocol/server-everything/dist/index.js',
    ['streamableHttp'],
    { PORT: String(port) },
    'everything',
  )
  await waitForPort(port)
  return `http://127.0.0.1:${port}/mcp`
}

export const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: billing, namespace: payments}
spec:
  tools:
  - name: reads
    match: {servers: [billing], tools: ["get_*", "list_*"]}
    effect: Allow
  - name: small-refunds
    match: {servers: [billing], tools: [refund]}
    effect: Allow
    where:
    - {arg: amount, min: "0.01", max: "50.00"}
    - {arg: currency, in: [EUR]}
    otherwise: Ask
  - name: everything
    match: {servers: [everything, raw]}
    effect: Allow
  invariants:
  - {name: never-delete, match: {tools: ["delete_*"]}}
  - name: refunds-below-5000
    match: {servers: [billing], tools: [refund]}
    unless: [{arg: amount, max: "5000.00"}]
`

export type GateSettings = Partial<StandaloneOptions> & { policy?: string }

/** The standalone gate in this process, on a free port. */
export const openGate = async (world: World, settings: GateSettings = {}): Promise<Standalone> => {
  const { policy = POLICY, ...rest } = settings
  writeFileSync(world.path('policy.yaml'), policy)
  writeFileSync(world.path('token'), TOKEN)
  const servers = rest.servers ?? {}
  const gate = await startStandalone({
    policyFiles: [world.path('policy.yaml')],
    servers,
    models: {},
    credentialFiles: 'billing' in servers ? { billing: world.path('token') } : {},
    owner: 'ana',
    port: 0,
    dataDir: world.path('data'),
    now: Date.now,
    log: silent,
    say: () => {},
    ...rest,
  })
  world.onClose(() => gate.close())
  return gate
}

/** All receipts of a spool directory, oldest first. */
export const readReceipts = (dir: string): Receipt[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
    .flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n').filter(Boolean))
    .map((line) => JSON.parse(line) as Receipt)

export const bodies = <K extends Receipt['body']['kind']>(receipts: Receipt[], kind: K) =>
  receipts
    .map((receipt) => receipt.body)
    .filter((body): body is Extract<Receipt['body'], { kind: K }> => body.kind === kind)

/** An agent on the official client, version 2. */
export const connect = async (world: World, url: string): Promise<Client> => {
  const client = new Client({ name: 'agent-of-the-test', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  world.onClose(() => client.close())
  return client
}

/** Every revision of a client with every revision of a server. */
export const ERAS = [
  ['legacy', 'legacy'],
  ['legacy', 'modern'],
  ['modern', 'legacy'],
  ['modern', 'modern'],
] as const

/** Text of a tool result. */
export const textOf = (result: { content?: unknown }): string =>
  (result.content as { text?: string }[]).map((part) => part.text ?? '').join('')

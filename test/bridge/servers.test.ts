import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Standalone } from '../../sidecar/standalone.ts'
import { eventually } from '../harness/eventually.ts'
import { type Bridge, createWorld, FIXTURE, isAlive, type World } from './bridge.ts'
import { openGate } from './gate.ts'
import { ensurePrograms } from './python.ts'

const TOKEN = 'token-of-the-bridges'

interface Call {
  tool: string
  arguments: Record<string, unknown>
}
interface Tried {
  name: string
  /** The revision that the bridge finds it to speak. */
  version: string
  command: string[]
  env?: Record<string, string>
  lists: string[]
  allowed: Call & { says: RegExp }
  /** `happened`: whether it took effect, where that can be seen. */
  denied: Call & { happened?: () => boolean }
}

const npm = (name: string) => {
  const manifest = createRequire(import.meta.url).resolve(`@modelcontextprotocol/server-${name}/package.json`)
  return [process.execPath, join(dirname(manifest), 'dist/index.js')]
}

/** Real servers as their authors ship them, each on something of its own in `dir`. */
const prepare = async (dir: string): Promise<Tried[]> => {
  const [current, sqlite] = [await ensurePrograms('current'), await ensurePrograms('sqlite')]
  const files = join(dir, 'files')
  mkdirSync(files)
  writeFileSync(join(files, 'hello.txt'), 'good morning')
  const memory = join(dir, 'memory.json')
  const repository = join(dir, 'repository')
  const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' })
  mkdirSync(repository)
  git('init', '--quiet', '--initial-branch', 'main')
  writeFileSync(join(repository, 'staged.txt'), 'x')
  git('add', 'staged.txt')
  const database = join(dir, 'books.db')
  const books = new DatabaseSync(database)
  books.exec("CREATE TABLE invoices (id TEXT); INSERT INTO invoices VALUES ('inv-7')")
  books.close()
  const thought = { thought: 'first', nextThoughtNeeded: false, thoughtNumber: 1 }
  return [
    {
      name: 'filesystem',
      version: '2025-11-25',
      command: [...npm('filesystem'), files],
      lists: ['read_text_file', 'list_directory'],
      allowed: { tool: 'read_text_file', arguments: { path: join(files, 'hello.txt') }, says: /good morning/ },
      denied: {
        tool: 'write_file',
        arguments: { path: join(files, 'new.txt'), content: 'x' },
        happened: () => existsSync(join(files, 'new.txt')),
      },
    },
    {
      name: 'memory',
      version: '2025-11-25',
      command: npm('memory'),
      env: { MEMORY_FILE_PATH: memory },
      lists: ['create_entities', 'read_graph'],
      allowed: {
        tool: 'create_entities',
        arguments: { entities: [{ name: 'Ada', entityType: 'person', observations: ['pays late'] }] },
        says: /Ada/,
      },
      denied: {
        tool: 'delete_entities',
        arguments: { entityNames: ['Ada'] },
        happened: () => !readFileSync(memory, 'utf8').includes('Ada'),
      },
    },
    {
      name: 'sequential-thinking',
      version: '2025-11-25',
      command: npm('sequential-thinking'),
      lists: ['sequentialthinking'],
      allowed: {
        tool: 'sequentialthinking',
        arguments: { ...thought, totalThoughts: 2 },
        says: /"thoughtHistoryLength": 1/,
      },
      denied: {
        tool: 'sequentialthinking',
        arguments: { ...thought, totalThoughts: 200 },
      },
    },
    {
      name: 'git',
      version: '2026-07-28',
      command: [join(current, 'mcp-server-git'), '--repository', repository],
      lists: ['git_status'],
      allowed: { tool: 'git_status', arguments: { repo_path: repository }, says: /staged\.txt/ },
      denied: {
        tool: 'git_reset',
        arguments: { repo_path: repository },
        happened: () => git('diff', '--cached', '--name-only') === '',
      },
    },
    {
      name: 'time',
      version: '2026-07-28',
      command: [join(current, 'mcp-server-time'), '--local-timezone', 'Europe/Berlin'],
      lists: ['get_current_time'],
      allowed: { tool: 'get_current_time', arguments: { timezone: 'Europe/Berlin' }, says: /Europe\/Berlin/ },
      denied: {
        tool: 'convert_time',
        arguments: { source_timezone: 'UTC', time: '12:00', target_timezone: 'Europe/Berlin' },
      },
    },
    {
      name: 'sqlite',
      version: '2025-11-25',
      command: [join(sqlite, 'mcp-server-sqlite'), '--db-path', database],
      lists: ['read_query', 'list_tables'],
      allowed: { tool: 'read_query', arguments: { query: 'SELECT id FROM invoices' }, says: /inv-7/ },
      denied: {
        tool: 'write_query',
        arguments: { query: 'DELETE FROM invoices' },
        happened: () => {
          const after = new DatabaseSync(database)
          const rows = after.prepare('SELECT id FROM invoices').all()
          after.close()
          return rows.length === 0
        },
      },
    },
  ]
}

const GREETING = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
}

/** What ends a greeted server whose input closes: its exit code, or the signal that it takes after twenty seconds. */
const endOf = async ({ command: [program, ...args], env }: Tried): Promise<unknown> => {
  const child = spawn(program!, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'ignore'] })
  const late = () => child.kill('SIGKILL')
  const starting = setTimeout(late, 60_000)
  child.stdin.write(`${JSON.stringify(GREETING)}\n`)
  const ended = once(child, 'exit')
  await Promise.race([once(createInterface(child.stdout), 'line'), ended])
  clearTimeout(starting)
  child.stdin.end()
  const patience = setTimeout(late, 20_000)
  const [code, signal] = await ended
  clearTimeout(patience)
  return code ?? signal
}

const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: servers, namespace: test}
spec:
  tools:
  - {name: files, match: {servers: [filesystem], tools: ["read_*", "list_*"]}, effect: Allow}
  - {name: memory, match: {servers: [memory], tools: [create_entities, read_graph]}, effect: Allow}
  - name: thoughts
    match: {servers: [sequential-thinking], tools: [sequentialthinking]}
    effect: Allow
    where: [{arg: totalThoughts, max: "10"}]
  - {name: git, match: {servers: [git], tools: [git_status]}, effect: Allow}
  - {name: time, match: {servers: [time], tools: [get_current_time]}, effect: Allow}
  - {name: fixture, match: {servers: [stateful]}, effect: Allow}
  - {name: sqlite, match: {servers: [sqlite], tools: [read_query, list_tables]}, effect: Allow}
`
const NAMES = ['filesystem', 'memory', 'sequential-thinking', 'git', 'time', 'sqlite']

describe('real servers through the bridge and the gate', () => {
  let world: World
  let gate: Standalone
  const tried = new Map<string, Tried & { bridge: Bridge }>()
  const of = (name: string) => tried.get(name)!

  beforeAll(async () => {
    world = createWorld()
    const tokenFile = join(world.dir, 'token')
    writeFileSync(tokenFile, TOKEN)
    for (const server of await prepare(world.dir)) {
      const bridge = await world.bridge(server.command, ['--token-file', tokenFile], server.env)
      tried.set(server.name, { ...server, bridge })
    }
    const stateful = await world.bridge(FIXTURE, ['--token-file', tokenFile, '--sessions-only'])
    await Promise.all([...tried.values()].map(({ bridge }) => bridge.ready()).concat(stateful.ready()))
    const servers = Object.fromEntries([...tried].map(([name, { bridge }]) => [name, bridge.url]))
    gate = await openGate(world, { policy: POLICY, servers: { ...servers, stateful: stateful.url }, tokenFile })
  }, 900_000)
  afterAll(() => world.close())

  const connect = async (url: string, options: { mode?: 'auto' | 'legacy'; token?: string }) => {
    const client = new Client(
      { name: 'agent', version: '1' },
      { versionNegotiation: { mode: options.mode ?? 'legacy' } },
    )
    const headers = options.token ? { authorization: `Bearer ${options.token}` } : undefined
    await client.connect(new StreamableHTTPClientTransport(new URL(url), headers ? { requestInit: { headers } } : {}))
    return client
  }
  const said = (result: unknown) =>
    ((result as { content?: { text?: string }[] }).content ?? []).map(({ text }) => text ?? '').join('\n')

  it('keeps agents apart that come through the gate to a bridge with --sessions-only', async () => {
    const counted: string[] = []
    for (let agent = 0; agent < 2; agent++) {
      const client = await connect(`${gate.url}/mcp/stateful`, {})
      for (let call = 0; call < 2; call++) counted.push(said(await client.callTool({ name: 'count', arguments: {} })))
      await client.close()
    }
    expect(counted).toEqual(['1', '2', '1', '2'])
  })

  it('has none that outlives its input', async () => {
    const ends = await Promise.all(NAMES.map(async (name) => [name, await endOf(of(name))]))
    expect(Object.fromEntries(ends)).toEqual(Object.fromEntries(NAMES.map((name) => [name, 0])))
  }, 120_000)

  describe.each(NAMES)('%s', (name) => {
    it('is found to be of its era', async () => {
      const { bridge, version } = of(name)
      expect(await bridge.logged('the server is ready')).toMatchObject([{ version }])
    })

    it.each(['legacy', 'auto'] as const)('lists and answers an official client (%s)', async (mode) => {
      const { bridge, lists, allowed } = of(name)
      const client = await connect(bridge.url, { mode, token: TOKEN })
      const { tools } = await client.listTools()
      expect(tools.map((tool) => tool.name)).toEqual(expect.arrayContaining(lists))
      const result = await client.callTool({ name: allowed.tool, arguments: allowed.arguments })
      expect(result.isError ?? false).toBe(false)
      expect(said(result)).toMatch(mode === 'legacy' ? allowed.says : /./)
      await client.close()
    })

    it('lists, allows and denies through the gate', async () => {
      const { lists, allowed, denied } = of(name)
      const client = await connect(`${gate.url}/mcp/${name}`, {})
      const listed = (await client.listTools()).tools.map((tool) => tool.name)
      expect(listed).toEqual(expect.arrayContaining(lists))
      if (denied.tool !== allowed.tool) expect(listed).not.toContain(denied.tool)
      const result = await client.callTool({ name: allowed.tool, arguments: allowed.arguments })
      expect(result.isError ?? false).toBe(false)
      const refused = await client.callTool({ name: denied.tool, arguments: denied.arguments })
      expect(refused.isError).toBe(true)
      expect(said(refused)).toMatch(/denied|no rule|allow/i)
      expect(denied.happened?.() ?? false).toBe(false)
      await client.close()
    })

    it('lets nobody in without the token', async () => {
      const { bridge } = of(name)
      await expect(connect(bridge.url, {})).rejects.toThrow()
    })

    it('ends when the bridge is killed', async () => {
      const { bridge } = of(name)
      const pids = (await bridge.logged('the server was started')).map(({ pid }) => Number(pid))
      expect(pids.some(isAlive)).toBe(true)
      bridge.child.signal('SIGKILL')
      await bridge.child.exited
      await eventually(() => pids.every((pid) => !isAlive(pid)))
    })
  })
})

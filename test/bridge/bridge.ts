import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { build } from '../../tools/build/bundles.ts'
import { eventually } from '../harness/eventually.ts'
import { type ManagedProcess, startProcess } from '../harness/process.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const path = (name: string) => join(root, name)

export const FIXTURE = [process.execPath, path('test/fixtures/servers/stdio/main.ts')]
export const MODERN_FIXTURE = [process.execPath, path('test/fixtures/servers/stdio-modern/main.ts')]
export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** The Node that npm was started with: 20 or newer, not the one of the tests. */
const NODE = process.env.npm_node_execpath ?? process.execPath

let built: Promise<string> | undefined
let bundleDir: string | undefined
afterAll(() => {
  if (bundleDir) rmSync(bundleDir, { recursive: true, force: true })
})
/** The program as people get it: one file, built once for a file of tests. */
export const bundled = (): Promise<string> => {
  built ??= (async () => {
    const dir = mkdtempSync(join(tmpdir(), 'remit-bridge-bundle-'))
    bundleDir = dir
    const [bundle] = await build(['remit-bridge'], dir)
    return bundle!.file
  })()
  return built
}

export interface Bridge {
  url: string
  base: string
  child: ManagedProcess
  /** The lines of its log so far. */
  log: () => Record<string, unknown>[]
  /** The lines with this message, once there are so many; a log is written a moment after what it tells of. */
  logged: (message: string, atLeast?: number) => Promise<Record<string, unknown>[]>
  health: () => Promise<{ status: number; text: string }>
  ready: () => Promise<void>
  /** Ends it in order; resolves with its exit code. */
  stop: () => Promise<number>
}

export interface World {
  dir: string
  bridge: (command: string[], flags?: string[], env?: Record<string, string>) => Promise<Bridge>
  onClose: (fn: () => unknown) => void
  close: () => Promise<void>
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The program as a person starts it, in a process of its own; gone after `close`. */
export const createWorld = (): World => {
  const dir = mkdtempSync(join(tmpdir(), 'remit-bridge-'))
  const steps: (() => unknown)[] = []
  return {
    dir,
    onClose: (fn) => void steps.push(fn),
    close: async () => {
      for (const step of steps.reverse()) await step()
      rmSync(dir, { recursive: true, force: true })
    },
    bridge: async (command, flags = [], env = {}) => {
      const logFile = join(dir, `bridge-${steps.length}.log`)
      const child = await startProcess({
        command: NODE,
        args: [await bundled(), '--port', '0', ...flags, '--', ...command],
        logFile,
        removeOnOrphan: dir,
        env,
      })
      steps.push(() => child.stop(12_000))
      const log = () =>
        readFileSync(logFile, 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line): Record<string, unknown> => (line.startsWith('{') ? JSON.parse(line) : { line }))
      const port = await eventually(() => {
        const found = log().find(({ msg }) => msg === 'the bridge listens')?.port
        if (typeof found !== 'number') throw new Error(`the bridge does not listen: ${readFileSync(logFile, 'utf8')}`)
        return found
      })
      const base = `http://127.0.0.1:${port}`
      const health = async () => {
        const response = await fetch(`${base}/healthz`)
        return { status: response.status, text: await response.text() }
      }
      return {
        base,
        url: `${base}/mcp`,
        child,
        log,
        logged: (message, atLeast = 1) =>
          eventually(() => {
            const lines = log().filter(({ msg }) => msg === message)
            if (lines.length < atLeast) throw new Error(`${message}: ${lines.length} times`)
            return lines
          }),
        health,
        ready: async () => {
          await eventually(
            async () => {
              const { status, text } = await health()
              if (status !== 200) throw new Error(text)
              return true
            },
            { timeoutMs: 20_000 },
          )
        },
        stop: async () => {
          await child.stop(12_000)
          return child.exited
        },
      }
    },
  }
}

export const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'

/** One message of 2026-07-28, with the headers that it has to have. */
export const modern = (
  url: string,
  method: string,
  params: Record<string, unknown> = {},
  options: {
    id?: number | string
    headers?: Record<string, string>
    capabilities?: object
    meta?: object
    signal?: AbortSignal
  } = {},
): Promise<Response> => {
  const name = params.name ?? params.uri
  return fetch(url, {
    method: 'POST',
    headers: {
      ...HEADERS,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...options.headers,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: options.id ?? 1,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          [CAPABILITIES]: options.capabilities ?? {},
          ...options.meta,
        },
      },
    }),
    ...(options.signal ? { signal: options.signal } : {}),
  })
}

/** The messages of a response, whichever form it has. */
export const messagesOf = async (response: Response) => {
  const text = await response.text()
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return [JSON.parse(text)]
  return text
    .split('\n\n')
    .flatMap((event) => event.split('\n').filter((line) => line.startsWith('data: ')))
    .map((line) => JSON.parse(line.slice('data: '.length)))
}

export const callModern = async (
  url: string,
  name: string,
  args: object = {},
  options: Parameters<typeof modern>[3] = {},
) => {
  const messages = await messagesOf(await modern(url, 'tools/call', { name, arguments: args }, options))
  return messages.at(-1)
}

/** A session of 2025-11-25, by hand. */
export const openSession = async (url: string, capabilities: object = {}) => {
  const post = (message: object, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: 'POST',
      headers: { ...HEADERS, ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    })
  const response = await post({
    id: 'init',
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'test', version: '1' } },
  })
  const [opened] = await messagesOf(response)
  const id = response.headers.get('mcp-session-id') ?? ''
  const headers = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }
  if (id) await post({ method: 'notifications/initialized' }, headers)
  return {
    id,
    opened,
    status: response.status,
    headers,
    post: (message: object) => post(message, headers),
    call: async (name: string, args: object = {}, requestId: number | string = 1) => {
      const answer = await post({ id: requestId, method: 'tools/call', params: { name, arguments: args } }, headers)
      return (await messagesOf(answer)).at(-1)
    },
    listen: (signal: AbortSignal) => fetch(url, { headers: { ...headers, accept: 'text/event-stream' }, signal }),
    remove: () => fetch(url, { method: 'DELETE', headers }),
  }
}

export const textOf = (message: { result?: { content?: { text?: string }[] } } | undefined) =>
  message?.result?.content?.[0]?.text

/** Events of an open stream, as they come. */
export const follow = (response: Response) => {
  // biome-ignore lint/suspicious/noExplicitAny: whatever comes
  const messages: any[] = []
  const reading = (async () => {
    let rest = ''
    for await (const chunk of response.body!) {
      rest += new TextDecoder().decode(chunk)
      const events = rest.split('\n\n')
      rest = events.pop()!
      for (const event of events)
        for (const line of event.split('\n'))
          if (line.startsWith('data: ')) messages.push(JSON.parse(line.slice('data: '.length)))
    }
  })().catch(() => {})
  return { messages, reading }
}

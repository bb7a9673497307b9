import { setTimeout as pause } from 'node:timers/promises'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Random } from '../../fuzz/random.ts'
import { textOf } from '../../sidecar/world.ts'
import { type Asked, answerTo } from './desk.ts'
import { count, type Tally } from './trouble.ts'

export type Era = 'legacy' | 'modern'
/** What came back of a call: its own answer, that it is denied, a failure the gate tells of, none that could be used. */
export type Came = 'answered' | 'denied' | 'told' | 'failed'

export interface Call {
  server: string
  tool: string
  arguments: Asked
  came: Came
  tookMs: number
  /** Nothing lies between agent and gate. */
  direct: boolean
  /** Of what did not come to an answer. */
  text: string
}

export interface AgentOptions {
  name: string
  era: Era
  server: string
  url: string
  direct: boolean
  timeoutMs: number
  random: Random
  /** Whether there is another call to make. */
  takes: () => boolean
  /** What could not even be connected. */
  thrown: Tally
}

/** A client of one era, connected. */
export const connectAs = async (era: Era, url: string, timeoutMs: number) => {
  const client = new Client(
    { name: 'agent', version: '1.0.0' },
    { versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' } },
  )
  // What concerns no call, such as the stream a session has on the side.
  client.onerror = () => undefined
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    reconnectionOptions: {
      initialReconnectionDelay: 50,
      maxReconnectionDelay: 500,
      reconnectionDelayGrowFactor: 2,
      maxRetries: 3,
    },
  })
  try {
    await client.connect(transport, { timeout: timeoutMs })
  } catch (error) {
    await client.close()
    throw error
  }
  return { client, transport }
}
type Connected = Awaited<ReturnType<typeof connectAs>>

const PAID_MOST = 100

/** The next thing an agent wants: mostly what it may, now and then what it may not. */
const nextCall = (random: Random, id: string): { tool: string; arguments: Asked } =>
  random.weighted([
    [5, () => ({ tool: 'read', arguments: { id, bytes: random.chance(0.05) ? 300_000 : random.below(2_000) } })],
    [3, () => ({ tool: 'read', arguments: { id, steps: 1 + random.below(8) } })],
    [4, () => ({ tool: 'pay', arguments: { id, amount: 1 + random.below(PAID_MOST) } })],
    [1, () => ({ tool: 'pay', arguments: { id, amount: PAID_MOST + 1 } })],
    [1, () => ({ tool: 'erase', arguments: { id } })],
  ])

const DENIALS = ['NoRuleAllows', 'ConstraintFailed']

export const call = async (
  { client }: Connected,
  { server, direct, timeoutMs }: Pick<AgentOptions, 'server' | 'direct' | 'timeoutMs'>,
  wanted: { tool: string; arguments: Asked },
): Promise<Call> => {
  const began = performance.now()
  const ended = (came: Came, text = ''): Call => ({
    server,
    ...wanted,
    came,
    tookMs: performance.now() - began,
    direct,
    text: text.slice(0, 300),
  })
  try {
    const result = await client.callTool(
      { name: wanted.tool, arguments: wanted.arguments },
      { timeout: timeoutMs, onprogress: () => undefined },
    )
    const text = textOf(result)
    if (!result.isError)
      return text === answerTo(wanted.tool, wanted.arguments)
        ? ended('answered')
        : ended('answered', `another answer: ${text}`)
    return ended(DENIALS.includes(String(result._meta?.['dev.remit/code'])) ? 'denied' : 'told', text)
  } catch (error) {
    return ended('failed', String(error))
  }
}

/** Failures in a row after which an agent begins anew: its session may be gone. */
const ENOUGH = 2
/** After which something is wrong that no fault explains. */
const MOST_TRIES = 100

/** An agent that goes on calling through whatever comes, beginning anew where it has to. */
export const runAgent = async (options: AgentOptions): Promise<Call[]> => {
  const { name, era, url, timeoutMs, random, takes, thrown } = options
  const calls: Call[] = []
  let connected: Connected | undefined
  let failures = 0
  const leave = async () => {
    // Not every agent says goodbye.
    if (era === 'legacy' && random.chance(0.5)) await connected?.transport.terminateSession().catch(() => undefined)
    await connected?.client.close()
    connected = undefined
  }
  const arrive = async (): Promise<Connected> => {
    for (let tries = 1; ; tries++)
      try {
        return await connectAs(era, url, timeoutMs)
      } catch (error) {
        if (tries >= MOST_TRIES) throw error
        count(thrown, 'connecting failed')
        await pause(50)
      }
  }
  while (takes()) {
    connected ??= await arrive()
    const made = await call(connected, options, nextCall(random, `${name}-${calls.length}`))
    calls.push(made)
    failures = made.came === 'failed' ? failures + 1 : 0
    if (failures >= ENOUGH || random.chance(0.01)) {
      failures = 0
      await leave()
    }
  }
  await leave()
  return calls
}

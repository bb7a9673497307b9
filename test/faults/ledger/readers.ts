import { setTimeout as pause } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { pss } from '../../bench/support/pss.ts'
import { eventually } from '../../harness/eventually.ts'
import { type Agent, SYSTEM, startWorld, type World } from '../../ledger/world.ts'
import { type Quantiles, quantiles } from '../quantiles.ts'

export interface ReadersOptions {
  /** Streams that nobody reads; three of one pod. */
  readers: number
  /** Remits written to each agent whose streams nobody reads, each time it is measured. */
  remits: number
  /** Remits and requests with receipts of each agent that reads, each time it is measured. */
  samples: number
  /** How often the remits are written again, for the ledger's memory. */
  again: number
  say?: (line: string) => void
}
/** Milliseconds from a remit's write to its arrival at who reads, and of a request with receipts. */
interface Waits {
  remit: Quantiles
  receipts: Quantiles
}
export interface ReadersReport {
  readers: number
  /** While the same remits are written, without and with the streams nobody reads. */
  alone: Waits
  beside: Waits
  /** The ledger's memory: before the streams, with them, after the remits were written to them, and each time again. */
  ledgerMiB: { before: number; open: number; written: number[] }
}

/** What Node gives itself in a container with the chart's limit of 384 MiB. */
const HEAP_MIB = 192
const OTHERS = 5
const AT_ONCE = 8

const inParts = async <T>(items: T[], work: (item: T) => Promise<unknown>): Promise<void> => {
  const left = [...items]
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
    }),
  )
}

/** Opens a stream of remits and never takes a byte of it that the kernel does not take by itself. */
const openUnread = (world: World, { token }: Agent): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect(
      { port: world.port, host: '127.0.0.1', servername: `remit-ledger.${SYSTEM}.svc`, ca: world.caOfLedger },
      () => {
        socket.write(`GET /v1/remit HTTP/1.1\r\nhost: ledger\r\nauthorization: Bearer ${token}\r\n\r\n`)
        socket.pause()
        resolve(socket)
      },
    )
    socket.on('error', reject)
  })

/** Readers that do not read, at the stream of remits; what they do to those who do, and to the ledger's memory. */
export const runReaders = async ({
  readers,
  remits,
  samples,
  again,
  say = () => {},
}: ReadersOptions): Promise<ReadersReport> => {
  const world = await startWorld()
  const sockets: TLSSocket[] = []
  try {
    await world.ledger.start({ heapMiB: HEAP_MIB })
    const memory = () => pss(world.ledger.pid())
    const others = await Promise.all(Array.from({ length: OTHERS }, (_, n) => world.agent('reading', `bot-${n}`)))
    const streams = await Promise.all(
      others.map(async (agent) => {
        await world.putRemit(agent, 1)
        return { agent, chain: agent.start(), stream: await world.client.follow(agent.token), first: true }
      }),
    )
    let generation = 1
    const sample = async (): Promise<Waits> => {
      const [remit, receipts]: [number[], number[]] = [[], []]
      for (let n = 0; n < samples; n++) {
        generation++
        await Promise.all(
          streams.map(async (each) => {
            const { agent, chain, stream } = each
            await world.putRemit(agent, generation)
            const written = Date.now()
            const arrived = () => stream.events.findLast(({ data }) => data?.includes(`"generation":${generation}`))
            const { at } = await eventually(arrived, { timeoutMs: 20_000, everyMs: 2 })
            remit.push(Math.max(0, at - written))
            const batch = [...(each.first ? [chain.first] : []), chain.intent()]
            each.first = false
            const began = performance.now()
            const { status, text } = await world.client.post(agent.token, batch)
            if (status !== 200) throw new Error(text)
            receipts.push(performance.now() - began)
          }),
        )
      }
      return { remit: quantiles(remit), receipts: quantiles(receipts) }
    }
    const slow: Agent[] = []
    const names = Array.from({ length: Math.ceil(readers / 3) }, (_, n) => `slow-${n}`)
    await inParts(names, async (name) => void slow.push(await world.agent('slow', name)))
    const padding = [{ kind: 'AgentPolicy', name: 'x'.repeat(20_000), uid: 'padding', generation: 1 }] as never
    let written = 0
    const write = async () => {
      for (const end = written + remits; written < end; ) {
        written++
        await inParts(slow, (agent) => world.putRemit(agent, written, { sources: padding }))
      }
    }
    await sample()
    const [alone] = await Promise.all([sample(), write()])
    const before = memory()

    await inParts(
      Array.from({ length: readers }, (_, n) => slow[Math.floor(n / 3)]!),
      async (agent) => {
        const socket = await openUnread(world, agent)
        socket.on('error', () => undefined)
        sockets.push(socket)
      },
    )
    await pause(500)
    const open = memory()
    say(`${sockets.length} streams nobody reads: ${before.toFixed(0)} MiB before, ${open.toFixed(0)} MiB with them`)
    const [beside] = await Promise.all([sample(), write()])
    const after = [memory()]
    for (let round = 0; round < again; round++) {
      await write()
      after.push(memory())
    }
    say(`after ${remits} remits to each, and each time as many again: ${after.map(Math.round).join(', ')} MiB`)
    return { readers: sockets.length, alone, beside, ledgerMiB: { before, open, written: after } }
  } finally {
    for (const socket of sockets) socket.destroy()
    await world.stop()
  }
}

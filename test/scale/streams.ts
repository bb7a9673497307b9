import { Agent, request } from 'node:https'
import { createParser } from 'eventsource-parser'
import { LEDGER_PATHS } from '../../lib/api/ledger.ts'
import { AUDIENCE_LEDGER } from '../../lib/api/names.ts'
import type { SignedRemit } from '../../lib/api/remit.ts'
import { list } from '../../lib/kube/objects.ts'
import { pods } from '../../lib/kube/resources.ts'
import type { Apiserver } from '../harness/apiserver.ts'
import { serviceAccountToken } from '../harness/world.ts'
import { sourceOf } from './view.ts'

export interface Ledger {
  port: number
  ca: string
  servername: string
}

/** Pods of agents, and a token for each as its node would ask for it. */
const tokens = async (apiserver: Apiserver, count: number): Promise<string[]> => {
  const { items } = await list(apiserver.client, pods, { labelSelector: 'remit.dev/agent' })
  // From all over: those made first are also told first.
  const chosen = Array.from(
    { length: Math.min(count, items.length) },
    (_, index) => items[Math.floor((index * items.length) / Math.min(count, items.length))]!,
  )
  const nodes = new Map<string, Apiserver['client']>()
  const made: string[] = []
  for (const { metadata, spec } of chosen) {
    const node = spec?.nodeName ?? ''
    const client =
      nodes.get(node) ?? (await apiserver.clientAs({ name: `system:node:${node}`, groups: ['system:nodes'] }))
    nodes.set(node, client)
    const { namespace = '', name, uid = '' } = metadata
    made.push(await serviceAccountToken(client, { namespace, name }, { audience: AUDIENCE_LEDGER, pod: { name, uid } }))
  }
  return made
}

/** One sidecar's side of the remit stream; `onRemit` gets the digest of the ClusterAgentPolicy in each remit told. */
const open = (ledger: Ledger, agent: Agent, token: string, onRemit: (source: string | undefined) => void) =>
  new Promise<void>((resolve, reject) => {
    const parser = createParser({
      onEvent: ({ event, data }) => {
        if (event !== 'remit') return
        onRemit(sourceOf((JSON.parse(data) as SignedRemit).remit))
        resolve()
      },
    })
    const { port, ca, servername } = ledger
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
    const sent = request(
      { host: '127.0.0.1', port, path: LEDGER_PATHS.remit, headers, agent, ca, servername },
      (answer) => {
        if (answer.statusCode !== 200)
          return reject(new Error(`the ledger answered a stream with ${answer.statusCode}`))
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => parser.feed(chunk))
      },
    )
    sent.on('error', reject)
    sent.end()
  })

/** `count` sidecars that follow their remit at the ledger, each already told its current one. */
export const openStreams = async (apiserver: Apiserver, ledger: Ledger, count: number) => {
  const agent = new Agent()
  const held = new Map<number, string | undefined>()
  let changed = () => {}
  const all = await tokens(apiserver, count)
  await Promise.all(
    all.map((token, index) =>
      open(ledger, agent, token, (source) => {
        held.set(index, source)
        changed()
      }),
    ),
  )
  return {
    count: all.length,
    /** Resolves with the moments at which each stream was told a remit of that policy, ascending. */
    told: (source: string, timeoutMs: number) =>
      new Promise<number[]>((resolve, reject) => {
        const at = new Map<number, number>()
        const late = setTimeout(() => reject(new Error(`${at.size} of ${all.length} streams told`)), timeoutMs)
        changed = () => {
          for (const [index, has] of held) if (has === source && !at.has(index)) at.set(index, performance.now())
          if (at.size < all.length) return
          clearTimeout(late)
          resolve([...at.values()].sort((a, b) => a - b))
        }
        changed()
      }),
    close: () => agent.destroy(),
  }
}

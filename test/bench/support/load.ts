import { Agent, request } from 'node:http'

export interface Sample {
  /** Milliseconds, ascending. */
  latencies: number[]
  /** Answers a second. */
  rate: number
}
export const percentile = (sorted: number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
let nextId = 1

const post = (agent: Agent, url: URL, body: string, headers: Record<string, string>) =>
  new Promise<{ session: string; text: string }>((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        host: url.hostname,
        port: url.port,
        path: url.pathname,
        method: 'POST',
        headers: { ...HEADERS, ...headers, 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ session: String(response.headers['mcp-session-id'] ?? ''), text }))
        response.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })

/** Calls a tool over and over on `connections` kept connections, each waiting for its answer, for `ms`. */
export const load = async (target: string, connections: number, ms: number): Promise<Sample> => {
  const url = new URL(target)
  const latencies: number[] = []
  const end = performance.now() + ms
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const init = JSON.stringify({
        jsonrpc: '2.0',
        id: nextId++,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
      })
      const { session } = await post(agent, url, init, {})
      while (performance.now() < end) {
        const began = performance.now()
        const body = JSON.stringify({
          jsonrpc: '2.0',
          id: nextId++,
          method: 'tools/call',
          params: {
            name: 'get_invoice',
            arguments: { invoice_id: 'INV-1007', amount: 12.5, memo: 'as the customer asked on the phone' },
          },
        })
        const { text } = await post(agent, url, body, {
          'mcp-session-id': session,
          'mcp-protocol-version': '2025-11-25',
        })
        if (!text.includes('Wanda Brandt')) throw new Error(`not the answer: ${text.slice(0, 200)}`)
        latencies.push(performance.now() - began)
      }
      agent.destroy()
    }),
  )
  latencies.sort((a, b) => a - b)
  return { latencies, rate: (latencies.length / ms) * 1_000 }
}

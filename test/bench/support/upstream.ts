/** The server of the benchmark: answers every MCP request at once, so that what is measured is the gate. */
import { createServer } from 'node:http'

const RESULT = {
  content: [{ type: 'text', text: JSON.stringify({ id: 'INV-1007', customer: 'Wanda Brandt', amount: 480 }) }],
}

createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    if (id === undefined) return void response.writeHead(202).end()
    const initialized = {
      protocolVersion: params?.protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: 'bench', version: '1' },
    }
    const body = Buffer.from(
      JSON.stringify({ jsonrpc: '2.0', id, result: method === 'initialize' ? initialized : RESULT }),
    )
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': body.length,
      ...(method === 'initialize' ? { 'mcp-session-id': 'bench' } : {}),
    })
    response.end(body)
  })
}).listen(Number(process.env.PORT), '127.0.0.1')

/** An agent on version 1 of the TypeScript SDK. */
// docs:begin
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const url = new URL(process.env.REMIT_MCP_DESK!)
const client = new Client({ name: 'my-agent', version: '1.0.0' })
await client.connect(new StreamableHTTPClientTransport(url))

// docs:end

import { playAll, textOf } from './support/script.ts'

await playAll(async ({ tool, arguments: args, giveUpAfterMs }) => {
  const { tools } = await client.listTools()
  let progress = 0
  const options = {
    onprogress: () => {
      progress += 1
    },
    ...(giveUpAfterMs ? { signal: AbortSignal.timeout(giveUpAfterMs) } : {}),
  }
  const listed = tools.map(({ name }) => name)
  try {
    const result = await client.callTool({ name: tool, arguments: args }, undefined, options)
    return { listed, text: textOf(result), error: result.isError === true, progress }
  } catch (error) {
    return { listed, text: (error as Error).message, error: true, progress }
  }
})
await client.close()

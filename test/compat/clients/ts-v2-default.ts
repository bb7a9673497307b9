/** An agent on version 2 of the TypeScript SDK as it is without options: it begins with `initialize`. */
// docs:begin
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

const url = new URL(process.env.REMIT_MCP_DESK!)
const client = new Client({ name: 'my-agent', version: '1.0.0' })
await client.connect(new StreamableHTTPClientTransport(url))

// docs:end

import { playWithV2 } from './support/v2.ts'

await playWithV2(client)

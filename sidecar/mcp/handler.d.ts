import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GateContext } from '../context.ts'
/** The MCP side of the gate: one endpoint a declared server, Streamable HTTP, tools only. */
export declare const createMcpHandler: (
  gate: GateContext,
) => (request: IncomingMessage, response: ServerResponse, name: string) => Promise<void>

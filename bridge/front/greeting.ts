import { LEGACY_VERSIONS } from '../../lib/api/mcp.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { Hello } from '../child/handshake.ts'

/** The revision for a client that asks for `wanted`, of those that the bridge and the server speak. */
const agree = (wanted: unknown, hello: Hello): string => {
  const newest = hello.era === 'legacy' ? hello.version : LEGACY_VERSIONS[0]
  return (LEGACY_VERSIONS as readonly unknown[]).includes(wanted) && String(wanted) <= newest ? String(wanted) : newest
}

/** What `initialize` is answered with in the server's name. */
export const initializeResult = (hello: Hello, wanted: unknown): JsonObject => ({
  protocolVersion: agree(wanted, hello),
  capabilities: hello.capabilities,
  serverInfo: { name: 'unnamed', version: '0', ...hello.serverInfo },
  ...(hello.instructions === undefined ? {} : { instructions: hello.instructions }),
})

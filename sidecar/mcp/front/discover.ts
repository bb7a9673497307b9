import { META } from '../../../lib/api/mcp.ts'
import { isObject } from '../../../lib/core/json-rpc.ts'
import { offeredToAgent } from '../capabilities.ts'
import { ALL_VERSIONS } from '../revision.ts'
import type { Answering } from './greet.ts'

/** Answers `server/discover`: what the server says of itself, as far as the remit lets the agent make use of it. */
export const discover: Answering = async (gate, { inForce, server, message, agent, reply, signal }) => {
  const { capabilities, instructions, ttlMs, serverInfo, _meta } = await gate.ports.hello(server, agent, signal)
  const info = (isObject(_meta) ? _meta[META.serverInfo] : undefined) ?? serverInfo
  const remit = gate.authority.current() ?? inForce
  reply.answer({
    jsonrpc: '2.0',
    id: message.id,
    result: {
      resultType: 'complete',
      supportedVersions: [...ALL_VERSIONS],
      capabilities: offeredToAgent(remit, server.name, isObject(capabilities) ? capabilities : {}),
      ...(typeof instructions === 'string' ? { instructions } : {}),
      ttlMs: ttlMs ?? 0,
      cacheScope: 'private',
      ...(isObject(info) ? { _meta: { [META.serverInfo]: info } } : {}),
    },
  })
  return undefined
}

import { RPC } from '../../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { GateContext } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import type { ServerMessage } from '../answer.ts'
import type { Admitted, RequestScene } from '../ports.ts'
import { conclude, withdraw } from '../server-answers.ts'
import { admitRequest } from '../server-requests.ts'

const MAX_ELICITATIONS = 16

/**
 * An answer as it may reach the agent: elicitations in an error are decided and recorded as those in requests are.
 * Throws UpstreamFailure(invalid) when one of them is not for this agent.
 */
export const withAdmittedUrls = async (
  gate: GateContext,
  scene: RequestScene,
  answer: ServerMessage,
): Promise<ServerMessage> => {
  const { error } = answer.message
  if (!isObject(error) || error.code !== RPC.urlElicitationRequired) return answer
  const listed = isObject(error.data) && Array.isArray(error.data.elicitations) ? error.data.elicitations : []
  if (listed.length === 0 || listed.length > MAX_ELICITATIONS)
    throw new UpstreamFailure('invalid', 'it wants URLs opened and does not say which', true)
  const admitted: Admitted[] = []
  for (const params of listed) {
    const asked =
      isObject(params) && params.mode === 'url'
        ? await admitRequest(gate, scene, { method: 'elicitation/create', params })
        : undefined
    if (asked === undefined || 'error' in asked) {
      await withdraw(gate, scene.server.name, admitted)
      throw new UpstreamFailure('invalid', 'it wants a URL opened that no rule lets it ask for', true)
    }
    admitted.push(asked.admitted)
  }
  await conclude(gate, scene.server.name, admitted)
  const { code, message } = error
  const shown: JsonObject = {
    ...answer.message,
    error: { code, message: String(message), data: { elicitations: admitted.map(({ request }) => request.params) } },
  }
  return { message: shown, raw: JSON.stringify(shown) }
}

import type { Span } from '@opentelemetry/api'
import type { RequestId } from '../../lib/api/mcp.ts'
import type { RemitServer } from '../../lib/api/remit.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { Redactions } from '../../lib/core/redact.ts'
import type { Json } from '../../lib/core/strict.ts'
import type { InForce } from '../authority.ts'
import type { GateContext } from '../context.ts'
import { ATTR } from '../telemetry.ts'
import { asksForInput, converse } from './converse.ts'
import { knownMeta } from './methods/ask-server.ts'
import { begunTask, endedTask } from './methods/begun-task.ts'
import { serverNotification } from './methods/server-notifications.ts'
import { type Finished, failed, succeeded } from './outcome.ts'
import type { Agent, RequestScene, ServerPort } from './ports.ts'
import { sent } from './sent.ts'

/** A call that was decided and recorded, and now goes out. */
export interface Dispatch {
  inForce: InForce
  server: RemitServer
  agent: Agent
  port: ServerPort
  id: RequestId
  params: JsonObject
  redactions: Redactions
  commit: (where: string, value: Json) => Json
  span: Span
  signal: AbortSignal
}

const INPUT: Finished['outcome'] = { outcome: 'input', text: 'The server asks for input first.' }

/** Puts the call to its server and tells what has come of it. Rejects as `ServerPort.request` does. */
const made = async (gate: GateContext, call: Dispatch, traceparent: string): Promise<Finished> => {
  const { server, agent, inForce, span, params, redactions } = call
  const scene: RequestScene = { inForce, server, agent, span }
  const answer = await converse(gate, {
    scene,
    port: call.port,
    message: {
      id: call.id,
      method: 'tools/call',
      // What else the agent writes there nobody has decided or recorded.
      params: {
        name: params.name!,
        arguments: params.arguments ?? {},
        ...(params.task === undefined ? {} : { task: params.task }),
        _meta: knownMeta(params, traceparent),
      },
    },
    options: {
      signal: call.signal,
      traceparent,
      onNotification: (told) => {
        const passed = serverNotification(gate, scene, told)
        if (passed !== undefined) agent.notify(passed)
      },
    },
  })
  if (asksForInput(answer)) return { outcome: INPUT, answer: () => answer.raw }
  return (
    begunTask(gate, scene, params, answer, redactions.results.length > 0) ??
    endedTask(gate, scene, params, answer, succeeded(answer, redactions, call.commit))
  )
}

/** Forwards the call and waits for what comes of it; throws only what is our own mistake. */
export const dispatch = (gate: GateContext, call: Dispatch): Promise<Finished> => {
  const { id, server, port, span } = call
  const tool = String(call.params.name)
  return sent(
    gate,
    {
      name: `tools/call ${tool}`,
      method: 'tools/call',
      id,
      port,
      span,
      about: { [ATTR.tool]: tool, [ATTR.operation]: 'execute_tool' },
    },
    (traceparent) => made(gate, call, traceparent),
    (error) => failed(id, server.name, error, gate.limits.idleMs),
  )
}

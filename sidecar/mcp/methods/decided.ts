import type { Attributes } from '@opentelemetry/api'
import { RPC } from '../../../lib/api/mcp.ts'
import { isObject } from '../../../lib/core/json-rpc.ts'
import type { GateContext } from '../../context.ts'
import { statedBy } from '../../receipts.ts'
import { serverRedactionsIn } from '../../redactions.ts'
import { ATTR } from '../../telemetry.ts'
import { UpstreamFailure } from '../../upstream.ts'
import type { ServerMessage } from '../answer.ts'
import { asksForInput } from '../converse.ts'
import { META_REASON, META_TASK, rpcError } from '../messages.ts'
import { type Finished, succeeded } from '../outcome.ts'
import { dispatchRequest, type MethodRequest } from './ask-server.ts'
import { type DecidedForm, readForm } from './forms.ts'
import { carryOut, type OtherStep, traceOf } from './other.ts'

/** What the request is about, as traces name it. */
const spanAbout = ({ about: { type, name } }: DecidedForm): Attributes =>
  type === 'prompt' ? { [ATTR.prompt]: name } : type === 'resource' ? { [ATTR.resource]: name } : {}

const INPUT: Finished['outcome'] = { outcome: 'input', text: 'The server asks for input first.' }

/**
 * A request about a resource, a prompt or a completion: decided, recorded, put to the server, recorded, answered.
 * Answers every one; what it throws is our own mistake. Returns the span's error word.
 */
export const handleDecided = async (gate: GateContext, request: MethodRequest): Promise<string | undefined> => {
  const { message, server, inForce, reply, span } = request
  const { id, method, params = {} } = message
  const form = readForm(server.name, method, params)
  if (typeof form === 'string') {
    reply.answer(rpcError(id, RPC.invalidParams, 'MalformedRequest', { detail: form }))
    return 'MalformedRequest'
  }
  const meta = isObject(params._meta) ? params._meta : {}
  const about = spanAbout(form)
  span.setAttributes(about)
  if (about[ATTR.prompt] !== undefined) span.updateName(`${method} ${about[ATTR.prompt]}`)
  const judge = async (answer: ServerMessage): Promise<Finished> => {
    const { result } = answer.message
    if (asksForInput(answer)) return { outcome: INPUT, answer: () => answer.raw }
    const own = isObject(result) ? form.own(gate, result) : result
    if (isObject(result) && own === undefined)
      throw new UpstreamFailure('invalid', `the result is none of ${method}`, true)
    const message = own === result ? answer.message : { ...answer.message, result: own! }
    const shown = own === result ? answer : { message, raw: JSON.stringify(message) }
    // By the remit of this moment: while the server answered, another may have come.
    const redactions = serverRedactionsIn(gate.authority.current() ?? inForce, server.name)
    return succeeded(shown, redactions, gate.commitments.at({ trace: traceOf(span), part: 'result' }), form.kind)
  }
  const step: OtherStep = {
    ...form,
    span,
    server: server.name,
    method,
    hidden: (by) => serverRedactionsIn(by, server.name).arguments,
    decide: () => form.decide(gate),
    stated: statedBy(meta[META_TASK], meta[META_REASON]),
  }
  return carryOut(gate, request, step, () => dispatchRequest(gate, request, form.params, about, judge))
}

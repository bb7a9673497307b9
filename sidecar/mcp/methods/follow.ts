import type { GateContext } from '../../context.ts'
import { intentBody, otherRecord } from '../../receipts.ts'
import { serverRedactionsIn } from '../../redactions.ts'
import { ATTR, endSpan, parentContext, SpanKind, startSpan } from '../../telemetry.ts'
import type { RequestScene } from '../ports.ts'
import { begin, finish } from '../recorded.ts'

const METHOD = 'subscriptions/listen'

/** Decides and records that the agent wants to be told of one resource; whether it may. */
const mayFollow = async (gate: GateContext, { server }: RequestScene, uri: string): Promise<boolean> => {
  const labels = { [ATTR.server]: server.name, [ATTR.method]: METHOD }
  const span = startSpan(
    gate.telemetry.tracer,
    METHOD,
    SpanKind.SERVER,
    { ...labels, [ATTR.resource]: uri },
    parentContext(),
  )
  const { traceId, spanId } = span.spanContext()
  const trace = { traceId, spanId }
  const place = { trace, part: 'arguments' as const }
  const begun = await begin(gate, {
    span,
    labels,
    decide: async () =>
      gate.history.decideRead({ type: 'resource', server: server.name, name: uri, arguments: { uri } }),
    intent: ({ inForce, decision }, began) => {
      const about = { type: 'resource' as const, server: server.name, method: METHOD, name: uri }
      const record = otherRecord(about, { uri }, serverRedactionsIn(inForce, server.name).arguments, {
        commit: gate.commitments.at(place),
        digest: (text) => gate.commitments.digest(place, text),
      })
      return intentBody(inForce, record, decision, trace, undefined, began)
    },
  })
  endSpan(span, {}, begun.is === 'allowed' ? undefined : begun.code)
  if (begun.is !== 'allowed') return false
  const ended = await finish(gate, begun, labels, async () => ({ outcome: { outcome: 'ok' }, answer: () => '' }))
  return ended.is === 'recorded'
}

/** Of the resources an agent wants to follow, those it may: each decided and recorded as a subscription of its own. */
export const followable = async (gate: GateContext, scene: RequestScene, uris: string[]): Promise<string[]> => {
  const may = await Promise.all(uris.map((uri) => mayFollow(gate, scene, uri)))
  return uris.filter((_uri, index) => may[index])
}

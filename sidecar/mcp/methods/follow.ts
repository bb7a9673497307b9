import type { GateContext } from '../../context.ts'
import { serverRedactionsIn } from '../../redactions.ts'
import { ATTR, endSpan, parentContext, SpanKind, startSpan } from '../../telemetry.ts'
import type { RequestScene } from '../ports.ts'
import { finish } from '../recorded.ts'
import { beginOther } from './other.ts'

const METHOD = 'subscriptions/listen'

/** Decides and records that the agent wants to be told of one resource; whether it may. */
const mayFollow = async (gate: GateContext, { server }: RequestScene, uri: string): Promise<boolean> => {
  const labels = { [ATTR.server]: server.name, [ATTR.method]: METHOD }
  const about = { ...labels, [ATTR.resource]: uri }
  const span = startSpan(gate.telemetry.tracer, METHOD, SpanKind.SERVER, about, parentContext())
  const begun = await beginOther(gate, {
    span,
    server: server.name,
    method: METHOD,
    about: { type: 'resource', name: uri },
    args: { uri },
    hidden: (inForce) => serverRedactionsIn(inForce, server.name).arguments,
    decide: () => gate.history.decideRead({ type: 'resource', server: server.name, name: uri, arguments: { uri } }),
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

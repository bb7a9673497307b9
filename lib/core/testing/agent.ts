import type { PolicySpec } from '../../api/gen/types.ts'
import type { Past } from '../../api/ledger.ts'
import type { DecisionRecord } from '../../api/receipt.ts'
import { type Assessment, assess, type ToolCall } from '../decide.ts'
import { decideAnswer, decideOther } from '../decide-other.ts'
import { type History, newHistory, remember } from '../history/history.ts'
import type { OtherCall } from '../other-call.ts'
import { type PreparedRemit, prepare } from '../prepare.ts'
import type { Json } from '../strict.ts'
import { NOW, remitOf } from './remit.ts'

/** What came of a call; `open`: nothing yet. */
type Came = Extract<Past, { kind: 'result' }>['outcome'] | 'open'

/** An agent under policies: calls are decided, counted and ended one after the other, as a gate does it. */
export function agentUnder(specs: PolicySpec | PolicySpec[], cluster: PolicySpec[] = [], servers?: string[]) {
  let at = NOW
  let calls = 0
  const self = {
    prepared: preparedOf(Array.isArray(specs) ? specs : [specs], cluster, servers),
    history: undefined as unknown as History,
    events: [] as Past[],
    wait: (ms: number) => {
      at += ms
      return self
    },
    now: () => at,
    tell: (past: Past) => {
      self.events.push(past)
      return remember(self.history, past)
    },
    end: (id: string, outcome: Exclude<Came, 'open'>) => self.tell({ kind: 'result', id, at, outcome }),
    /** `to` is "server/tool", or a tool of billing. */
    assess: (to: string, args: Json, rest: Partial<ToolCall> & { outcome?: Came } = {}): Assessment => {
      const [server, tool] = to.includes('/') ? (to.split('/') as [string, string]) : ['billing', to]
      const { outcome = 'ok', ...more } = rest
      const assessment = assess(self.prepared, { server, tool, arguments: args, ...more }, self.history, at)
      const { decision, record, class: cls } = assessment
      const id = `call-${calls++}`
      self.tell({
        kind: 'intent',
        id,
        at,
        server,
        tool,
        effect: decision.effect,
        ...(cls ? { class: cls } : {}),
        ...(record ? { facts: record } : {}),
      })
      if (decision.effect === 'Allow' && outcome !== 'open') self.end(id, outcome)
      return assessment
    },
    /** What is no call of a tool; of a request with an answer, what becomes of the answer. */
    other: (call: OtherCall, answer?: Json): DecisionRecord => {
      const decision = decideOther(self.prepared, call, self.history, at)
      if (call.type === 'request') {
        if (answer === undefined || decision.effect !== 'Allow') return decision
        return decideAnswer(self.prepared, { ...call, type: call.type }, answer)
      }
      const { effect } = decision
      const id = `call-${calls++}`
      self.tell({ kind: 'read', id, at, server: call.server, effect })
      if (effect === 'Allow') self.end(id, 'ok')
      return decision
    },
    call: (to: string, args: Json = {}, rest: Partial<ToolCall> & { outcome?: Came } = {}) =>
      self.assess(to, args, rest).decision,
  }
  self.history = { ...newHistory(self.prepared), loaded: true }
  return self
}

function preparedOf(specs: PolicySpec[], cluster: PolicySpec[], servers?: string[]): PreparedRemit {
  const remit = remitOf(specs, cluster)
  return prepare(
    servers === undefined ? remit : { ...remit, servers: servers.map((name) => ({ name, url: 'http://10.0.0.1' })) },
  )
}

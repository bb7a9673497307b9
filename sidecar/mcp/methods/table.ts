import type { Era } from '../ports.ts'

/**
 * What becomes of a message:
 * - decided: a rule (or, for tasks, the call that began them) has to give it; intent before, result after
 * - filtered: passes, and of it or of its answer only what a rule could give
 * - passed: as it is, but for what the policy withholds of server texts
 * - kept: the gate acts on it, or answers it, itself
 * - refused: a request gets an error, a notification goes to nobody
 */
export type Fate = 'decided' | 'filtered' | 'passed' | 'kept' | 'refused'

/** One message of MCP in one direction; `era`: the only one that has it. */
export interface Method {
  method: string
  from: 'agent' | 'server'
  kind: 'request' | 'notification'
  fate: Fate
  era?: Era
}

const of =
  (from: Method['from'], kind: Method['kind']) =>
  (fate: Fate, methods: string, era?: Era): Method[] =>
    methods.split(' ').map((method) => ({ method, from, kind, fate, ...(era === undefined ? {} : { era }) }))

const asks = of('agent', 'request')
const tells = of('agent', 'notification')
const serverAsks = of('server', 'request')
const serverTells = of('server', 'notification')

/** Every message the gate knows; what is not here is refused. docs/sidecar.md says the same in words. */
export const METHODS: Method[] = [
  ...asks('filtered', 'initialize', 'legacy'),
  ...asks('filtered', 'server/discover subscriptions/listen', 'modern'),
  ...asks('passed', 'ping logging/setLevel', 'legacy'),
  ...asks('filtered', 'tools/list resources/list resources/templates/list prompts/list'),
  ...asks('decided', 'tools/call resources/read prompts/get completion/complete'),
  ...asks('decided', 'resources/subscribe resources/unsubscribe', 'legacy'),
  ...asks('filtered', 'tasks/list', 'legacy'),
  ...asks('filtered', 'tasks/get'),
  ...asks('decided', 'tasks/result', 'legacy'),
  ...asks('decided', 'tasks/cancel'),
  ...asks('decided', 'tasks/update', 'modern'),
  ...tells('passed', 'notifications/initialized', 'legacy'),
  ...tells('filtered', 'notifications/cancelled'),
  ...tells('filtered', 'notifications/progress notifications/roots/list_changed', 'legacy'),
  ...tells('refused', 'notifications/tasks/status', 'legacy'),
  ...serverAsks('kept', 'ping', 'legacy'),
  ...serverAsks('decided', 'sampling/createMessage elicitation/create roots/list'),
  ...serverAsks('refused', 'tasks/get tasks/result tasks/list tasks/cancel', 'legacy'),
  ...serverTells('passed', 'notifications/progress notifications/message'),
  ...serverTells('filtered', 'notifications/tools/list_changed notifications/resources/list_changed'),
  ...serverTells('filtered', 'notifications/prompts/list_changed notifications/resources/updated'),
  ...serverTells('filtered', 'notifications/elicitation/complete notifications/tasks/status', 'legacy'),
  ...serverTells('kept', 'notifications/cancelled', 'legacy'),
  ...serverTells('kept', 'notifications/subscriptions/acknowledged', 'modern'),
  ...serverTells('refused', 'notifications/tasks', 'modern'),
]

const fates = new Map(METHODS.map((each) => [`${each.from} ${each.kind} ${each.method}`, each]))

/** What becomes of a message; `refused` for whatever is not known, or not in this era. */
export const fateOf = (from: Method['from'], kind: Method['kind'], method: string, era?: Era): Fate => {
  const known = fates.get(`${from} ${kind} ${method}`)
  return known === undefined || (era !== undefined && known.era !== undefined && known.era !== era)
    ? 'refused'
    : known.fate
}

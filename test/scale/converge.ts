import { create } from '../../lib/kube/objects.ts'
import { agentIdentities } from '../../lib/kube/resources.ts'
import type { Figures } from './figures.ts'
import type { Part } from './installation.ts'
import { quiet } from './quiet.ts'
import { inTurns, patienceMs, type Run, secondsSince } from './run.ts'
import { byOperator, tally } from './tally.ts'
import { cpuSeconds } from './usage.ts'

/** Makes all agents and waits until each is ready and the operator at rest. */
export const converge = async (run: Run, operator: Part): Promise<Pick<Figures, 'seconds' | 'cpu' | 'writes'>> => {
  const { options, installation, teams, view, writes } = run
  const { ledger, webhook, apiserver } = installation
  const parts = { operator, ledger, webhook }
  const used = () => ({
    operator: cpuSeconds(parts.operator.pid),
    ledger: cpuSeconds(parts.ledger.pid),
    webhook: cpuSeconds(parts.webhook.pid),
  })
  // No company grows team after team: each makes its next agent in turn.
  const order = teams
    .flatMap((team) => team.agents.map((agent, turn) => ({ agent, turn })))
    .sort((a, b) => a.turn - b.turn)
  writes.take()
  const before = used()
  const start = performance.now()
  const store = async () => {
    await inTurns(order, ({ agent }) => create(apiserver.client, agentIdentities, agent))
    options.say(`stored after ${secondsSince(start).toFixed(1)} s`)
    return performance.now()
  }
  const moments = await Promise.all([
    store(),
    view.remits(options.agents, patienceMs(run)),
    view.running(options.agents, patienceMs(run)),
    view.ready(options.agents, patienceMs(run)),
  ])
  const [created, remits, running, ready] = moments.map((moment) => secondsSince(start, moment)) as [
    number,
    number,
    number,
    number,
  ]
  const after = used()
  options.say(`ready after ${ready.toFixed(1)} s`)
  await quiet(operator.pid, writes, options.quietMs)
  const all = writes.take()
  return {
    seconds: { created, remits, running, ready },
    cpu: {
      operator: after.operator - before.operator,
      ledger: after.ledger - before.ledger,
      webhook: after.webhook - before.webhook,
    },
    writes: { operator: tally(byOperator(all)), everybody: all.length },
  }
}

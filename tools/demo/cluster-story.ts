import type { Show } from './show.ts'

const AGENT = 'agent-billing-bot -n payments -c agent'

/** The main job on a real cluster, with the commands a person would type. */
export const tellClusterStory = async ({ say, run, until }: Show): Promise<void> => {
  await until('kubectl get agents -A', /billing-bot +True[\s\S]*desk-bot +True/, 180_000)
  say('Two teams, two agents. Each has an owner group with a person on call, and a policy:')
  await run('kubectl get agents -A')

  await until(`kubectl logs ${AGENT}`, /12000.*\n[\s\S]*12000/, 60_000)
  say(
    'The billing agent at work. It is offered no delete_invoice, although its team allows that tool: the company never\ndeletes. 30 EUR pass, dollars do not, and 12,000 EUR meet an invariant that wins over the rule that allows them:',
  )
  await run(`kubectl logs ${AGENT} | head -5`)

  say('What the agent is, and why it may run:')
  await run(`kubectl describe agent billing-bot -n payments | sed -n '/^Status/,$p'`)

  const before = (
    await until('kubectl get pod agent-billing-bot -n payments -o jsonpath={.metadata.uid}', /./, 5_000)
  ).trim()
  say("Friday's mistake is mended: refunds above 20 EUR wait for a person. The agent keeps running.")
  await run(
    `kubectl patch agentpolicy billing -n payments --type json -p '[{"op":"replace","path":"/spec/tools/1/where/0/max","value":"20.00"},{"op":"add","path":"/spec/tools/1/otherwise","value":"Ask"}]'`,
  )
  await until(`kubectl logs ${AGENT} --since=4s`, /waiting for/, 30_000)
  await run(`kubectl logs ${AGENT} --since=8s | grep '"amount":30,"currency":"EUR"' | tail -1`)
  const after = (
    await until('kubectl get pod agent-billing-bot -n payments -o jsonpath={.metadata.uid}', /./, 5_000)
  ).trim()
  if (after !== before) throw new Error('the agent was restarted by a change of its policy')

  say('Somebody tries to get in:')
  await run('kubectl exec -n payments agent-billing-bot -c agent -- id', { mayFail: true })

  say('Who answers for it now:')
  await run('kubectl remit oncall billing -n payments')

  say('What it did, from the record:')
  await run('kubectl remit timeline billing-bot -n payments --since 10m | (read -r head; echo "$head"; tail -6)')

  say('The help desk only observes its agent so far. From what it did, a policy:')
  await run('kubectl remit policy suggest --agent desk-bot -n support --since 1h')

  say('And the refund of 12,000:')
  const logs = await until(`kubectl logs ${AGENT}`, /12000.*receipt \S+\)/, 10_000)
  const receipt = /12000.*receipt (\S+)\)/.exec(logs)?.[1]
  await run(`kubectl remit why ${receipt} -n payments`)
}

export const WHAT_NEXT = `
Try next, with KUBECONFIG as above:
  kubectl edit agentpolicy billing -n payments      enforced in the running sidecar within a second
  kubectl get receipts -n payments                  the record, with your own kubeconfig and RBAC
  kubectl explain agentpolicy.spec.tools            the language, field by field
  kubectl remit doctor                              is it whole, and who could act around it
  dist/kubectl-remit gate --help                    the same on the agent you already have, without a cluster
  npm run cluster:down                              leaves nothing behind
`

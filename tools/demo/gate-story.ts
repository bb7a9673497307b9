import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repoRoot } from '../cluster/config.ts'
import { startUntil } from './process.ts'
import { createShow } from './show.ts'

const TOKEN = 'demo-billing-token'
const REFUND = { invoice_id: 'INV-1009', amount: 12000, currency: 'EUR' }
const script = JSON.stringify([
  { server: 'billing', tool: 'refund', arguments: REFUND, task: 'ticket 4713', reason: 'the e-mail said it is urgent' },
])

/** The first story, without a cluster: the same call with nothing in between, and through `remit gate`. */
export const tellGateStory = async (write: (text: string) => void): Promise<void> => {
  const dir = mkdtempSync(join(tmpdir(), 'remit-demo-'))
  const file = (path: string) => join(repoRoot, path)
  const stops: (() => Promise<void>)[] = []
  try {
    writeFileSync(join(dir, 'token'), TOKEN, { mode: 0o600 })
    const billing = { PORT: '17481', HOST: '127.0.0.1', DATA_DIR: join(dir, 'books'), BILLING_TOKEN: TOKEN }
    stops.push(
      (await startUntil(process.execPath, [file('test/fixtures/servers/billing/main.ts')], billing, /listens on/)).stop,
    )
    const url = `http://127.0.0.1:${billing.PORT}/mcp`
    const agent = `node ${file('test/fixtures/agent/main.ts')}`
    const show = createShow(
      {
        AGENT_SCRIPT: script,
        PATH: `${join(process.execPath, '..')}:${file('dist')}:${process.env.PATH}`,
        DATA: join(dir, 'receipts'),
      },
      write,
    )
    show.say(
      'It is 2 a.m. An agent of the billing team reads an e-mail that says "urgent" and refunds 12,000 EUR.\nToday it holds the token of the billing server and calls it directly:',
    )
    await show.run(`AGENT_DIRECT='{"billing": "${url}"}' AGENT_TOKEN=${TOKEN} ${agent}`, { shown: 'agent' })
    show.say('The money is gone, and nobody can say who let it. Now the same agent behind Remit, on this machine:')
    const policies = ['00-company.yaml', '10-payments.yaml'].map((name) => file(`test/fixtures/company/${name}`))
    const gateArgs = [
      'gate',
      '--policy',
      ...policies,
      '--server',
      `billing=${url}`,
      '--credential',
      `billing=${join(dir, 'token')}`,
      '--port',
      '17480',
      '--data',
      join(dir, 'receipts'),
    ]
    write(`\n  $ kubectl-remit gate --policy 00-company.yaml 10-payments.yaml --server billing=${url} &\n`)
    stops.push((await startUntil(process.execPath, [file('dist/kubectl-remit'), ...gateArgs], {}, /receipts:/)).stop)
    const answer = await show.run(`REMIT_MCP_URL=http://127.0.0.1:17480/mcp ${agent}`, { shown: 'agent' })
    const receipt = /receipt (\S+)\)/.exec(answer)?.[1]
    if (!receipt) throw new Error('the gate let the refund pass, or answered without a receipt')
    show.say(
      "The team's own rule would have allowed it: somebody raised its bound last Friday. The company's invariant did not.",
    )
    await show.run(`kubectl-remit why ${receipt} --data "$DATA"`, { shown: `kubectl-remit why ${receipt} --data ...` })
  } finally {
    for (const stop of stops.reverse()) await stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

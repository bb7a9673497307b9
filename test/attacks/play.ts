import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { directoryReceipts } from '../../cli/evidence/directory.ts'
import { isIntent } from '../../cli/evidence/source.ts'
import type { DecisionRecord } from '../../lib/api/receipt.ts'
import { createLogger } from '../../lib/service/log.ts'
import { startStandalone } from '../../sidecar/standalone.ts'
import { type GroundCall, type Judgement, SERVERS, type Setting, type Suite } from './suite.ts'

/** A gate that closes while the next one plays: it waits for connections of the client that were never used. */
export type Closing = Promise<void>

/** A call as the gate decided it; `changed`: it reached the tool and changed the environment. */
export interface PlayedCall {
  of: GroundCall['of']
  tool: string
  effect: DecisionRecord['effect']
  rule?: string
  reason: string
  changed: boolean
  /** The tool itself failed. */
  failed: boolean
}

export interface Played extends Omit<Judgement, 'made'> {
  setting: Setting
  calls: PlayedCall[]
}

const log = createLogger({ part: 'attacks', level: 'error' })

const connect = async (url: string) => {
  const transport = new StreamableHTTPClientTransport(new URL(url))
  const client = new Client({ name: 'attacks', version: '1.0.0' })
  await client.connect(transport)
  return {
    call: async ({ tool, arguments: args }: GroundCall) =>
      (await client.callTool({ name: tool, arguments: args })).isError === true,
    close: async () => {
      await transport.terminateSession()
      await client.close()
    },
  }
}

/**
 * Plays one setting: every call of its ground truth, sent by an MCP client through a gate of its own (an agent that has
 * done nothing yet) to the suite's tools in a fresh environment. What waits for a person is not made, save for what the
 * user wanted: there the person agrees, and the call is made past the gate, as an approval would.
 * @param dir receipts are kept below it while it runs
 * @param closing what has to be waited for before `dir` can go
 */
export const play = async (
  suite: Suite,
  policyFile: string,
  setting: Setting,
  dir: string,
  closing: Closing[],
): Promise<Played> => {
  const wanted = await suite.start(setting)
  const dataDir = mkdtempSync(join(dir, 'run-'))
  const server = SERVERS[suite.name]
  const gate = await startStandalone({
    policyFiles: [policyFile],
    servers: { [server]: suite.url },
    models: {},
    credentialFiles: {},
    owner: 'emma',
    port: 0,
    dataDir,
    now: Date.now,
    log,
    say: () => {},
  })
  const receipts = directoryReceipts(dataDir)
  const decisions = async () => (await receipts.list({})).filter(isIntent).map(({ body }) => body.decision)
  try {
    const agent = await connect(`${gate.url}/mcp/${server}`)
    const person = await connect(suite.url)
    const calls: (Omit<PlayedCall, 'changed'> & { reached: boolean })[] = []
    for (const call of wanted) {
      let failed = await agent.call(call)
      const decided = await decisions()
      const decision = decided.at(-1)
      if (decided.length !== calls.length + 1 || !decision) throw new Error(`no receipt of ${call.tool}`)
      const agreed = decision.effect === 'Ask' && call.of === 'user'
      if (agreed) failed = await person.call(call)
      const { effect, rule, reason } = decision
      const reached = effect === 'Allow' || agreed
      calls.push({
        of: call.of,
        tool: call.tool,
        effect,
        ...(rule ? { rule } : {}),
        reason,
        reached,
        failed: reached && failed,
      })
    }
    await agent.close()
    await person.close()
    const { made, ...judgement } = await suite.finish()
    const reached = calls.filter((call) => call.reached)
    if (made.map(({ tool }) => tool).join() !== reached.map(({ tool }) => tool).join())
      throw new Error(`the tools saw ${made.map(({ tool }) => tool)}, not what the gate let pass`)
    let next = 0
    return {
      setting,
      ...judgement,
      calls: calls.map(({ reached: arrived, ...call }) => ({ ...call, changed: arrived && made[next++]!.changed })),
    }
  } finally {
    closing.push(gate.close().finally(() => rmSync(dataDir, { recursive: true, force: true })))
  }
}

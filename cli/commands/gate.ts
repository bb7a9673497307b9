import { type Command, InvalidArgumentError } from 'commander'
import { createLogger, LOG_LEVELS, type LogLevel } from '../../lib/service/log.ts'
import { onShutdown } from '../../lib/service/shutdown.ts'
import { startStandalone } from '../../sidecar/standalone.ts'
import type { CliContext } from '../context.ts'
import { httpUrl, pairs } from '../flags.ts'

interface Flags {
  policy: string[]
  server?: Record<string, string>
  model?: Record<string, string>
  credential?: Record<string, string>
  owner: string
  port: number
  data: string
  unfreeze?: boolean
}

const port = (value: string): number => {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number > 65_535) throw new InvalidArgumentError('must be a port number.')
  return number
}

export const gateCommand = (program: Command, context: CliContext): void => {
  program
    .command('gate')
    .description('the sidecar on this machine: point an agent at http://127.0.0.1:7480/mcp/NAME')
    .requiredOption('--policy <file...>', 'AgentPolicy or ClusterAgentPolicy YAML; a changed file is enforced at once')
    .option('--server <name=url>', 'an MCP server (repeat for more)', pairs(httpUrl))
    .option('--model <name=url>', 'a model API, reached at /llm/NAME (repeat for more)', pairs(httpUrl))
    .option(
      '--credential <name=file>',
      'file with the bearer token for that server or model',
      pairs(() => undefined),
    )
    .option('--owner <name>', 'who answers for the agent', 'you')
    .option('--port <port>', 'port on 127.0.0.1', port, 7480)
    .option('--data <dir>', 'where receipts are kept', 'remit-data')
    .option('--unfreeze', 'lift what froze the agent in an earlier run on the same --data')
    .action(async (flags: Flags) => {
      const level = (LOG_LEVELS as readonly string[]).includes(context.config.logLevel)
        ? (context.config.logLevel as LogLevel)
        : 'warn'
      const log = createLogger({ part: 'gate', level })
      const gate = await startStandalone({
        policyFiles: flags.policy,
        servers: flags.server ?? {},
        models: flags.model ?? {},
        credentialFiles: flags.credential ?? {},
        owner: flags.owner,
        port: flags.port,
        dataDir: flags.data,
        unfreeze: flags.unfreeze === true,
        otlpEndpoint: context.config.otlpEndpoint,
        log,
        now: context.now,
        say: context.err,
      })
      const shutdown = onShutdown(log)
      shutdown.add('gate', () => gate.close())
      for (const name of Object.keys(flags.server ?? {})) context.out(`${name}: ${gate.url}/mcp/${name}`)
      for (const name of Object.keys(flags.model ?? {})) context.out(`${name}: ${gate.url}/llm/${name}`)
      context.out(
        `receipts: ${flags.data} (kubectl-remit timeline --data ${flags.data}, kubectl-remit why RECEIPT --data ${flags.data})`,
      )
    })
}

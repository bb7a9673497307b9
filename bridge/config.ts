import { Command, InvalidArgumentError, Option } from 'commander'
import { VERSION } from '../lib/api/version.ts'
import { LOG_LEVELS, type LogLevel } from '../lib/service/log.ts'

const whole =
  (min: number, max: number) =>
  (value: string): number => {
    const number = Number(value)
    if (!/^\d+$/.test(value) || number < min || number > max)
      throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}.`)
    return number
  }
const endpoint = (value: string): string => {
  if (!/^\/[\w./-]*$/.test(value) || value === '/healthz')
    throw new InvalidArgumentError('must be a path such as /mcp, and not /healthz.')
  return value
}
const collect = (value: string, before: string[] = []): string[] => [...before, value]

interface Flags {
  port: number
  host: string
  path: string
  shared: boolean
  sessionsOnly: boolean
  tokenFile?: string
  allowHost?: string[]
  allowOrigin?: string[]
  maxChildren: number
  idleTimeout: number
  startTimeout: number
  callTimeout: number
  maxMessageBytes: number
  maxMessagesPerSecond: number
  maxStderrPerSecond: number
}

/** What the bridge does: serve a command, copy itself to where another container finds it, or watch over another. */
export type Settings = { logLevel: LogLevel } & (
  | { install: string }
  | { watchdog: true }
  | (Flags & { command: string; args: string[]; env: Record<string, string | undefined> })
)

const LOOPBACK = ['127.0.0.1', '::1', 'localhost']

const program = (): Command =>
  new Command('remit-bridge')
    .description('an MCP server on standard input and output, served over Streamable HTTP')
    .usage('[options] -- COMMAND [ARGS...]\n       remit-bridge install DIR')
    .version(VERSION)
    .showHelpAfterError('(see --help)')
    .addOption(new Option('--port <port>', 'port to listen on').default(8080).argParser(whole(0, 65_535)))
    .option('--host <address>', 'address to listen on; 0.0.0.0 or :: for all', '127.0.0.1')
    .option('--path <path>', 'path of the MCP endpoint', endpoint, '/mcp')
    .option('--shared', 'one server process for all sessions too, instead of one for each', false)
    .option('--sessions-only', 'only revisions with sessions, so that each client has a process of its own', false)
    .option('--token-file <file>', 'only requests with the bearer token in this file are taken')
    .option('--allow-host <name>', 'take requests to this Host only (repeat for more)', collect)
    .option('--allow-origin <origin>', 'take requests of pages of this Origin (repeat for more)', collect)
    .option('--max-children <n>', 'server processes at a time', whole(1, 1_000), 16)
    .option('--idle-timeout <s>', 'seconds until an unused process or session is ended', whole(1, 86_400), 900)
    .option('--start-timeout <s>', 'seconds for a process to answer its greeting', whole(1, 3_600), 60)
    .option('--call-timeout <s>', 'seconds until a call is given up', whole(1, 86_400), 600)
    .option('--max-message-bytes <n>', 'of one message, either way', whole(1_024, 256 * 1_048_576), 4 * 1_048_576)
    .option('--max-messages-per-second <n>', 'read from one server process', whole(1, 1_000_000), 1_000)
    .option('--max-stderr-per-second <n>', 'lines of standard error logged', whole(0, 100_000), 50)
    .argument('<command...>', 'the server and its arguments, after --')
    .passThroughOptions()
    .exitOverride()

/**
 * Reads the command line and the environment; the server gets the environment without what is ours. Throws commander's
 * CommanderError, which was told to the person already.
 */
export const readSettings = (argv: string[], env: Record<string, string | undefined>): Settings => {
  const level = env.REMIT_LOG_LEVEL ?? ''
  const logLevel = (LOG_LEVELS as readonly string[]).includes(level) ? (level as LogLevel) : 'info'
  if (argv[0] === 'install' && argv.length === 2) return { logLevel, install: argv[1]! }
  if (argv[0] === 'watchdog' && argv.length === 1) return { logLevel, watchdog: true }
  const parsed = program().parse(argv, { from: 'user' })
  const flags = parsed.opts<Flags>()
  const [command = '', ...args] = parsed.args
  return {
    ...flags,
    // A page may have any name made to mean this machine; elsewhere it is Origin that keeps pages out.
    allowHost: flags.allowHost ?? (LOOPBACK.includes(flags.host) ? ['127.0.0.1', '[::1]', 'localhost'] : []),
    logLevel,
    command,
    args,
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('REMIT_'))),
  }
}

import type { Command } from 'commander'
import { dump } from 'js-yaml'
import type { Pin, ToolDefinition } from '../../lib/api/gen/types.ts'
import { UserError } from '../../lib/core/errors.ts'
import { definitionDigest, pinnedParts } from '../../lib/core/pin.ts'
import { INVISIBLE } from '../../lib/core/quote.ts'
import type { CliContext } from '../context.ts'
import { httpUrl, outputFlag, pairs } from '../flags.ts'
import { readInput } from '../policy/input.ts'
import { listTools } from '../policy/list-tools.ts'
import { readTools } from '../policy/tools.ts'
import { oneLine } from '../render/one-line.ts'

interface Flags {
  server?: Record<string, string>
  tools?: string
  credential?: Record<string, string>
  output?: string
}

const pinOf = (server: string, definition: ToolDefinition): Pin => ({
  server,
  tool: String(definition.name),
  digest: definitionDigest(definition),
  definition: pinnedParts(definition),
})

/** What a person who reads the pins would not see, and an agent would. */
const hidden = ({ server, tool, definition }: Pin): string | undefined => {
  const [character] = INVISIBLE.exec(JSON.stringify(definition)) ?? []
  if (character === undefined) return undefined
  return `${server}/${tool} has characters that cannot be seen, such as U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}: look at it with care before you pin it`
}

export const policyPinCommand = (policy: Command, context: CliContext): void => {
  const command = policy
    .command('pin')
    .description('write the pins of the tools that servers list now, for spec.pins of a policy')
    .option('--server <name=url>', 'an MCP server (repeat for more)', pairs(httpUrl))
    .option('--tools <file>', 'instead of asking: JSON of {SERVER: tools/list result}')
    .option(
      '--credential <name=file>',
      'file with the bearer token for that server',
      pairs(() => undefined),
    )
  outputFlag(command).action(async (flags: Flags) => {
    const { server: servers = {}, credential = {} } = flags
    if (!flags.tools && Object.keys(servers).length === 0)
      throw new UserError('BadUsage', { detail: 'name a server with --server NAME=URL, or a file with --tools' })
    const listed = flags.tools === undefined ? {} : readTools(await readInput(flags.tools), flags.tools)
    for (const [name, url] of Object.entries(servers)) {
      const token = credential[name] === undefined ? undefined : Buffer.from(await readInput(credential[name]))
      const { tools, unusable } = await listTools(name, url, token?.toString('utf8').trim())
      listed[name] = tools
      for (const tool of unusable)
        context.err(
          oneLine(
            `${name}/${tool} is left out: its definition asks for headers that may not be, so nobody can call it`,
          ),
        )
    }
    const pins = Object.entries(listed).flatMap(([server, tools]) => tools.map((tool) => pinOf(server, tool)))
    for (const warning of pins.map(hidden)) if (warning !== undefined) context.err(oneLine(warning))
    if (flags.output === 'json') return context.out(JSON.stringify({ pins }, null, 2))
    context.out('# What the servers say of their tools now. Read it: whoever writes a description talks to the agent.')
    context.out(dump({ pins }, { lineWidth: 120, noRefs: true }).trimEnd())
  })
}

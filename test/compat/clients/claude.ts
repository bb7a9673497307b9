/** Claude Code, run for each case as a program of its own. */
import { execFile } from 'node:child_process'
import { playAll, promptOf } from './support/script.ts'

// docs:begin
const config = { mcpServers: { desk: { type: 'http', url: process.env.REMIT_MCP_DESK } } }
const flags = ['--strict-mcp-config', '--mcp-config', JSON.stringify(config), '--allowedTools', 'mcp__desk']
// docs:end

/** Nothing of what this machine's user has: neither settings nor credentials. */
const environment = (giveUpAfterMs = 60_000): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  ANTHROPIC_BASE_URL: process.env.ANTHROPIC_BASE_URL,
  ANTHROPIC_API_KEY: process.env.ANTHROPIC_API_KEY,
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
  ENABLE_TOOL_SEARCH: 'false',
  MCP_TOOL_TIMEOUT: `${giveUpAfterMs}`,
})

interface Line {
  type: string
  subtype?: string
  tools?: string[]
  result?: string
  is_error?: boolean
}
const PREFIX = 'mcp__desk__'

await playAll(
  (one) =>
    new Promise((resolve) => {
      const args = [
        '-p',
        promptOf({ ...one, tool: PREFIX + one.tool }),
        '--model',
        'my-model',
        '--output-format',
        'stream-json',
        '--verbose',
        ...flags,
      ]
      const options = { env: environment(one.giveUpAfterMs), cwd: process.env.HOME, timeout: 60_000 }
      const child = execFile(process.env.CLAUDE!, args, options, (_error, out, complaints) => {
        const lines = out.split('\n').filter((line) => line.startsWith('{'))
        const said = lines.map((line) => JSON.parse(line) as Line)
        const tools = said.find(({ subtype }) => subtype === 'init')?.tools ?? []
        const end = said.find(({ type }) => type === 'result')
        const text = end?.result ?? complaints
        resolve({
          listed: tools.flatMap((name) => (name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : [])),
          text,
          // It goes on after a call that it gave up, and tells the model.
          error: end?.is_error !== false || text.includes('timed out'),
        })
      })
      child.stdin?.end()
    }),
)

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repoRoot } from '../../tools/cluster/config.ts'
import type { Progress } from '../../tools/progress.ts'
import type { CaseName, Era } from './cases.ts'
import { claudeClient } from './envs/claude.ts'
import type { Command } from './envs/command.ts'
import { goClient, javaClient, rustClient } from './envs/native.ts'
import { pythonClient } from './envs/python.ts'
import type { Player } from './judge.ts'

/** One way to be an agent: a released SDK or framework, and the script that uses it. */
export interface CompatClient extends Player {
  /** As `npm run test:compat -- NAME` knows it. */
  name: string
  /** As people know it. */
  title: string
  /** The package, and which version of it is pinned. */
  package: string
  version: () => string
  /** Below `clients/`; the lines between its marks stand in docs/clients.md. */
  script: string
  /** Needs nothing that npm has not installed anyway. */
  fast?: true
  /** Of a script in Python: the name of its pins, and of the environment made from them. */
  pins?: string
  /** Is also played as a real agent in a pod. */
  pod?: true
  prepare: (progress: Progress) => Promise<Command>
  /** Cases that do not come out as they should, and why. Whoever mends one is told to take it out here. */
  known?: Partial<Record<`${Era} ${CaseName}`, string>>
}

const here = (path: string) => join(import.meta.dirname, 'clients', path)

const npmVersion = (name: string) => () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8'))
  return { ...dependencies, ...devDependencies }[name] as string
}
const pinned = (file: string, pattern: RegExp) => () => {
  const version = pattern.exec(readFileSync(here(file), 'utf8'))?.[1]
  if (!version) throw new Error(`${file} pins nothing like ${pattern}`)
  return version
}
const pythonVersion = (pins: string, name: string) => pinned(`python/${pins}.txt`, new RegExp(`^${name}==([^ ]+)`, 'm'))
const node = (script: string) => ({
  script,
  prepare: async (): Promise<Command> => ({ program: process.execPath, args: [here(script)] }),
})

const python = (pins: string, script: string) => ({
  script: `python/${script}`,
  pins,
  prepare: pythonClient(pins, script),
})

/** In the order of docs/clients.md. */
export const CLIENTS: readonly CompatClient[] = [
  {
    name: 'ts-v1',
    title: 'TypeScript SDK, version 1',
    package: '@modelcontextprotocol/sdk',
    version: npmVersion('@modelcontextprotocol/sdk'),
    kind: 'sdk',
    fast: true,
    ...node('ts-v1.ts'),
  },
  {
    name: 'ts-v2',
    title: 'TypeScript SDK, version 2',
    package: '@modelcontextprotocol/client',
    version: npmVersion('@modelcontextprotocol/client'),
    kind: 'sdk',
    fast: true,
    ...node('ts-v2.ts'),
  },
  {
    name: 'ts-v2-default',
    title: 'TypeScript SDK, version 2, without options',
    package: '@modelcontextprotocol/client',
    version: npmVersion('@modelcontextprotocol/client'),
    kind: 'sdk',
    fast: true,
    ...node('ts-v2-default.ts'),
  },
  {
    name: 'python',
    title: 'Python SDK',
    package: 'mcp',
    version: pythonVersion('mcp', 'mcp'),
    kind: 'sdk',
    ...python('mcp', 'mcp_client.py'),
  },
  {
    name: 'pydantic-ai',
    title: 'Pydantic AI',
    package: 'pydantic-ai-slim',
    version: pythonVersion('pydantic-ai', 'pydantic-ai-slim'),
    kind: 'agent',
    pod: true,
    ...python('pydantic-ai', 'pydantic_ai_agent.py'),
  },
  {
    name: 'langgraph',
    title: 'LangChain and LangGraph',
    package: 'langchain-mcp-adapters',
    version: pythonVersion('langgraph', 'langchain-mcp-adapters'),
    kind: 'agent',
    pod: true,
    ...python('langgraph', 'langgraph_agent.py'),
  },
  {
    name: 'openai-agents',
    title: 'OpenAI Agents SDK',
    package: 'openai-agents',
    version: pythonVersion('openai-agents', 'openai-agents'),
    kind: 'agent',
    pod: true,
    ...python('openai-agents', 'openai_agents_agent.py'),
  },
  {
    name: 'openai-agents-default',
    title: 'OpenAI Agents SDK, with its own five seconds',
    package: 'openai-agents',
    version: pythonVersion('openai-agents', 'openai-agents'),
    kind: 'agent',
    impatient: true,
    pod: true,
    ...python('openai-agents', 'openai_agents_default_agent.py'),
  },
  {
    name: 'vercel',
    title: 'Vercel AI SDK',
    package: '@ai-sdk/mcp',
    version: npmVersion('@ai-sdk/mcp'),
    kind: 'agent',
    fast: true,
    ...node('vercel.ts'),
  },
  {
    name: 'adk',
    title: 'Google ADK',
    package: 'google-adk',
    version: pythonVersion('adk', 'google-adk'),
    kind: 'agent',
    pod: true,
    ...python('adk', 'adk_agent.py'),
  },
  {
    name: 'agent-framework',
    title: 'Microsoft Agent Framework',
    package: 'agent-framework-core',
    version: pythonVersion('agent-framework', 'agent-framework-core'),
    kind: 'agent',
    pod: true,
    ...python('agent-framework', 'agent_framework_agent.py'),
  },
  {
    name: 'go',
    title: 'Go SDK',
    package: 'github.com/modelcontextprotocol/go-sdk',
    version: pinned('go/go.mod', /modelcontextprotocol\/go-sdk v(\S+)/),
    kind: 'sdk',
    script: 'go/main.go',
    prepare: goClient,
  },
  {
    name: 'rust',
    title: 'Rust SDK',
    package: 'rmcp',
    version: pinned('rust/Cargo.toml', /rmcp = \{ version = "=([^"]+)"/),
    kind: 'sdk',
    script: 'rust/src/main.rs',
    prepare: rustClient,
  },
  {
    name: 'java',
    title: 'Java SDK',
    package: 'io.modelcontextprotocol.sdk:mcp',
    version: pinned('java/pom.xml', /<artifactId>mcp<\/artifactId>\s*<version>([^<]+)/),
    kind: 'sdk',
    script: 'java/src/main/java/Main.java',
    prepare: javaClient,
  },
  {
    name: 'claude',
    title: 'Claude Code',
    package: '@anthropic-ai/claude-code',
    version: pinned('claude/package.json', /claude-code": "([^"]+)"/),
    kind: 'agent',
    script: 'claude.ts',
    prepare: claudeClient,
  },
  {
    name: 'claude-agent',
    title: 'Claude Agent SDK',
    package: 'claude-agent-sdk',
    version: pythonVersion('claude-agent', 'claude-agent-sdk'),
    kind: 'agent',
    ...python('claude-agent', 'claude_agent.py'),
  },
]

export const isKnown = ({ known }: CompatClient, era: Era, name: CaseName): string | undefined =>
  known?.[`${era} ${name}`]

/** An agent on the Vercel AI SDK. */
// docs:begin
import { createMCPClient } from '@ai-sdk/mcp'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'

const model = createOpenAICompatible({ name: 'main', baseURL: process.env.OPENAI_BASE_URL! })('my-model')
const client = await createMCPClient({ transport: { type: 'http', url: process.env.REMIT_MCP_DESK! } })
const tools = await client.tools()

// docs:end

import { generateText, isStepCount } from 'ai'
import { playAll, promptOf } from './support/script.ts'

await playAll(async (one) => {
  const listed = Object.keys(tools)
  const abortSignal = one.giveUpAfterMs ? AbortSignal.timeout(one.giveUpAfterMs) : undefined
  const { text } = await generateText({ model, tools, prompt: promptOf(one), stopWhen: isStepCount(4), abortSignal })
  return { listed, text, error: false }
})
await client.close()

import type { Client } from '@modelcontextprotocol/client'
import { playAll, textOf } from './script.ts'

/** Plays the cases with a client of version 2 that is connected. */
export const playWithV2 = async (client: Client): Promise<void> => {
  await playAll(async ({ tool, arguments: args, giveUpAfterMs }) => {
    const { tools } = await client.listTools()
    let progress = 0
    const options = {
      onprogress: () => {
        progress += 1
      },
      ...(giveUpAfterMs ? { signal: AbortSignal.timeout(giveUpAfterMs) } : {}),
    }
    const listed = tools.map(({ name }) => name)
    try {
      const result = await client.callTool({ name: tool, arguments: args }, options)
      return { listed, text: textOf(result), error: result.isError === true, progress }
    } catch (error) {
      return { listed, text: (error as Error).message, error: true, progress }
    }
  })
  await client.close()
}

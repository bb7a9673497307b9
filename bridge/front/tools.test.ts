import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Backend, BackendSink } from '../backend/backend.ts'
import { createTools } from './tools.ts'

const listed = (header: string) =>
  JSON.stringify({
    result: {
      tools: [
        { name: 'sql', inputSchema: { type: 'object', properties: { a: { type: 'string', 'x-mcp-header': header } } } },
      ],
    },
  })

describe('which parameters have headers', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())
  const begin = () => {
    const asked: BackendSink[] = []
    const backend: Backend = {
      hello: () => Promise.reject(new Error('is not asked')),
      listen: () => Promise.reject(new Error('is not asked')),
      call: async (_request, sink) => {
        asked.push(sink)
        return { cancel: () => {} }
      },
    }
    const tools = createTools(Date.now)
    return { asked, of: async () => (await tools(backend, 'sql')).map(({ header }) => header) }
  }

  it('is known for ten seconds, then asked again', async () => {
    const { asked, of } = begin()
    const both = [of(), of()]
    asked[0]?.onAnswer(listed('Region'))
    expect(await Promise.all(both)).toEqual([['mcp-param-region'], ['mcp-param-region']])
    vi.setSystemTime(Date.now() + 10_000)
    expect(await of()).toEqual(['mcp-param-region'])
    expect(asked).toHaveLength(1)
    vi.setSystemTime(Date.now() + 1)
    const again = of()
    asked[1]?.onAnswer(listed('Zone'))
    expect(await again).toEqual(['mcp-param-zone'])
  })

  it('is what was told last when the server is lost meanwhile', async () => {
    const { asked, of } = begin()
    const first = of()
    asked[0]?.onAnswer(listed('Region'))
    await first
    vi.setSystemTime(Date.now() + 10_001)
    const again = of()
    asked[1]?.onLost('it ended', 'none')
    expect(await again).toEqual(['mcp-param-region'])
  })

  it('is what was told last while the server does not tell, until it does', async () => {
    const { asked, of } = begin()
    const first = of()
    asked[0]?.onAnswer(listed('Region'))
    await first
    vi.setSystemTime(Date.now() + 10_001)
    const waiting = of()
    vi.setSystemTime(Date.now() + 1_500)
    expect(await of()).toEqual(['mcp-param-region'])
    vi.setSystemTime(Date.now() + 60_000)
    expect(await of()).toEqual(['mcp-param-region'])
    expect(asked).toHaveLength(2)
    asked[1]?.onAnswer(listed('Zone'))
    expect(await waiting).toEqual(['mcp-param-zone'])
  })
})

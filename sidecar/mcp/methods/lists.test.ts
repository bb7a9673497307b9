import { describe, expect, it } from 'vitest'
import { agentUnder } from '../../../lib/core/testing/agent.ts'
import { filterList } from './lists.ts'

const { prepared } = agentUnder(
  {
    tools: [{ name: 't', match: { servers: ['docs'], tools: ['get_*'] }, effect: 'Allow' }],
    resources: [
      { name: 'r', match: { servers: ['docs'], uris: ['file:///open/*'] }, effect: 'Allow' },
      { name: 'never', match: { servers: ['docs'], uris: ['*/secret/*'] }, effect: 'Deny' },
    ],
    prompts: [{ name: 'p', match: { servers: ['docs'], prompts: ['summ*'] }, effect: 'Ask' }],
  },
  [],
  ['docs'],
)
const names = async (method: string, items: string, name: string, given: unknown[]) => {
  const filtered = await filterList(prepared, 'docs', method, { [items]: given as never })
  return (filtered![items] as Record<string, unknown>[]).map((item) => item[name])
}

describe('a page of a list', () => {
  it.each([
    ['tools/list', 'tools', 'name', ['get_a', 'delete_a'], ['get_a']],
    ['prompts/list', 'prompts', 'name', ['summary', 'secret', 'summ ary', 'summ\u0430ry'], ['summary']],
    [
      'resources/list',
      'resources',
      'uri',
      [
        'file:///open/a.md',
        'file:///open/secret/a.md',
        'file:///open/../etc/passwd',
        'file:///open/%2e%2e/etc/passwd',
        'FILE:///open/a.md',
        'file:///etc/passwd',
        'file:///open/a.md#x',
      ],
      ['file:///open/a.md'],
    ],
    [
      'resources/templates/list',
      'resourceTemplates',
      'uriTemplate',
      ['file:///open/{path}', 'file:///etc/{path}', '{anything}'],
      ['file:///open/{path}', '{anything}'],
    ],
  ])('of %s has what could be given', async (method, items, name, given, kept) => {
    expect(
      await names(
        method,
        items,
        name,
        given.map((each) => ({ [name]: each, other: { kept: true } })),
      ),
    ).toEqual(kept)
  })

  it('has no item that could be read as another, and nothing beside its items that could name one', async () => {
    const filtered = await filterList(prepared, 'docs', 'prompts/list', {
      prompts: [
        { name: 'summary', title: 'A summary' },
        { name: 'summary2', Name: 'secret' },
        { name: 5 },
        'summary3',
        null,
      ],
      nextCursor: 'more',
      hidden: ['secret'],
      _meta: { note: 'secret', 'io.modelcontextprotocol/serverInfo': { name: 'docs', version: '1' } },
    })
    expect(filtered).toEqual({
      prompts: [{ name: 'summary', title: 'A summary' }],
      nextCursor: 'more',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'docs', version: '1' } },
    })
  })

  it('stays a page when it is empty and there are more', async () => {
    expect(
      await filterList(prepared, 'docs', 'prompts/list', { prompts: [{ name: 'secret' }], nextCursor: 'c' }),
    ).toEqual({
      prompts: [],
      nextCursor: 'c',
    })
  })

  it('is none without a list, or with one that has no end', async () => {
    expect(await filterList(prepared, 'docs', 'prompts/list', { prompts: {} })).toBeUndefined()
    const prompts = Array.from({ length: 20_001 }, () => ({ name: 'summary' }))
    expect(await filterList(prepared, 'docs', 'prompts/list', { prompts })).toBeUndefined()
    const many = await filterList(prepared, 'docs', 'prompts/list', { prompts: prompts.slice(0, 1_000) })
    expect(many?.prompts).toHaveLength(1_000)
  })
})

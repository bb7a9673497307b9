import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../lib/api/gen/types.ts'
import { agentUnder } from '../../lib/core/testing/agent.ts'
import type { InForce } from '../authority.ts'
import { offeredToAgent, offeredToServer } from './capabilities.ts'

const under = (spec: PolicySpec): InForce => {
  const { prepared } = agentUnder(spec, [], ['docs'])
  return { remit: prepared.remit, digest: '', prepared }
}
const NOTHING = under({})
const RESOURCES = under({
  resources: [{ name: 'r', match: { servers: ['docs'], uris: ['file:///a/*'] }, effect: 'Allow' }],
})
const PROMPTS = under({ prompts: [{ name: 'p', match: { servers: ['docs'] }, effect: 'Ask' }] })
const requests = (methods: ('sampling/createMessage' | 'elicitation/create' | 'roots/list')[], mode?: string) =>
  under({
    requests: [
      {
        name: 'q',
        match: { servers: ['docs'], methods },
        effect: 'Allow',
        ...(mode ? { where: [{ arg: 'mode', in: [mode] }] } : {}),
      },
    ],
  })

const SERVER = {
  tools: {},
  logging: { odd: 1 },
  resources: { subscribe: true, listChanged: true, odd: true },
  prompts: { odd: {} },
  completions: {},
  tasks: { list: {}, cancel: {}, requests: { tools: { call: {} }, odd: {} } },
  experimental: { x: {} },
  extensions: { 'io.modelcontextprotocol/tasks': { odd: 1 }, 'com.example/other': {} },
}

describe('what an agent is told a server can do', () => {
  it('is of resources, prompts and completion only what some rule could give', () => {
    const offered = (inForce: InForce) => Object.keys(offeredToAgent(inForce, 'docs', SERVER)).sort()
    expect(offered(NOTHING)).toEqual(['extensions', 'logging', 'tasks', 'tools'])
    expect(offered(RESOURCES)).toEqual(['completions', 'extensions', 'logging', 'resources', 'tasks', 'tools'])
    expect(offered(PROMPTS)).toEqual(['completions', 'extensions', 'logging', 'prompts', 'tasks', 'tools'])
    expect(offeredToAgent(RESOURCES, 'other', SERVER)).not.toHaveProperty('resources')
  })
  it('says nothing that the gate does not know the meaning of', () => {
    expect(offeredToAgent(RESOURCES, 'docs', SERVER)).toEqual({
      tools: { listChanged: true },
      logging: {},
      resources: { subscribe: true, listChanged: true },
      completions: {},
      tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
      extensions: { 'io.modelcontextprotocol/tasks': {} },
    })
  })
  it('is never more than the server has', () => {
    expect(offeredToAgent(RESOURCES, 'docs', { resources: true, prompts: [], tasks: {} })).toEqual({})
    expect(offeredToAgent(RESOURCES, 'docs', { resources: {} })).toEqual({ resources: { listChanged: true } })
  })
})

const AGENT = {
  sampling: { tools: { odd: 1 }, context: {}, odd: {} },
  elicitation: { form: { odd: 1 }, url: {} },
  roots: { listChanged: true, odd: 1 },
  tasks: { requests: { sampling: { createMessage: {} } } },
  experimental: { x: {} },
}

describe('what a server is told an agent can do', () => {
  it('is only what some rule lets the server ask for', () => {
    expect(offeredToServer(NOTHING, 'docs', AGENT)).toEqual({})
    expect(offeredToServer(requests(['sampling/createMessage']), 'docs', AGENT)).toEqual({
      sampling: { tools: {}, context: {} },
    })
    expect(offeredToServer(requests(['roots/list']), 'docs', AGENT)).toEqual({ roots: { listChanged: true } })
    expect(offeredToServer(requests(['roots/list']), 'other', AGENT)).toEqual({})
  })
  it.each([
    [undefined, { form: {}, url: {} }],
    ['form', { form: {} }],
    ['url', { url: {} }],
  ])('has of elicitation the modes of the rule: %s', (mode, modes) => {
    expect(offeredToServer(requests(['elicitation/create'], mode), 'docs', AGENT)).toEqual({ elicitation: modes })
  })
  it('takes a client that names no mode for one that does forms', () => {
    expect(offeredToServer(requests(['elicitation/create'], 'url'), 'docs', { elicitation: {} })).toEqual({})
    expect(offeredToServer(requests(['elicitation/create']), 'docs', { elicitation: {} })).toEqual({
      elicitation: { form: {} },
    })
  })
  it('is never more than the agent has', () => {
    const all = requests(['sampling/createMessage', 'elicitation/create', 'roots/list'])
    expect(offeredToServer(all, 'docs', {})).toEqual({})
    expect(offeredToServer(all, 'docs', { sampling: true, roots: [], elicitation: 'yes' })).toEqual({})
  })
})

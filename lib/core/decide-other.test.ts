import { describe, expect, test } from 'vitest'
import type { PolicySpec } from '../api/gen/types.ts'
import { decideOther, offered, offersAny } from './decide-other.ts'
import { newHistory } from './history/history.ts'
import type { OtherCall } from './other-call.ts'
import { prepare } from './prepare.ts'
import type { Json } from './strict.ts'
import { agentUnder } from './testing/agent.ts'
import { NOW, remitOf } from './testing/remit.ts'

const resource = (name: string, server = 'docs'): OtherCall => ({ type: 'resource', server, name, arguments: {} })
const prompt = (name: string, args: Json = {}, server = 'docs'): OtherCall => ({
  type: 'prompt',
  server,
  name,
  arguments: args,
})
const request = (name: string, params: Json = {}, server = 'shop'): OtherCall => ({
  type: 'request',
  server,
  name,
  arguments: params,
})

const spec: PolicySpec = {
  resources: [
    {
      name: 'handbook',
      match: { servers: ['docs'], uris: ['file:///handbook/*'] },
      effect: 'Allow',
      where: [{ arg: 'uri', suffix: '.md' }],
    },
    { name: 'contracts', match: { uris: ['file:///contracts/*'] }, effect: 'Ask' },
    { name: 'no-drafts', match: { uris: ['*/drafts/*'] }, effect: 'Deny' },
  ],
  prompts: [
    {
      name: 'summaries',
      match: { servers: ['docs'], prompts: ['summ*'] },
      effect: 'Allow',
      where: [{ arg: 'length', in: ['short'] }],
    },
  ],
  requests: [
    {
      name: 'forms',
      match: { servers: ['shop'], methods: ['elicitation/create'] },
      effect: 'Allow',
      where: [{ arg: 'mode', in: ['form'] }],
      answer: [{ arg: 'content.password', absent: true }],
    },
    {
      name: 'a-little-text',
      match: { methods: ['sampling/createMessage'] },
      effect: 'Allow',
      where: [{ arg: 'maxTokens', min: '1', max: '1000' }],
    },
  ],
}
const SERVERS = ['docs', 'shop', 'mail']
const under = (specs: PolicySpec | PolicySpec[] = spec, cluster: PolicySpec[] = []) =>
  agentUnder(specs, cluster, SERVERS)

describe('what the model and the person are told', () => {
  test.each<[OtherCall, string, string | undefined, string]>([
    [
      resource('file:///handbook/a.md'),
      'Allow',
      undefined,
      'handbook allows the resource "file:///handbook/a.md" of docs.',
    ],
    [
      resource('file:///handbook/a.txt'),
      'Deny',
      'ConstraintFailed',
      'uri is "file:///handbook/a.txt"; handbook allows a text that ends with ".md".',
    ],
    [
      resource('file:///contracts/7', 'mail'),
      'Ask',
      'WaitingForPerson',
      'contracts asks first. This call is waiting for ana.',
    ],
    [
      resource('file:///handbook/drafts/a.md'),
      'Deny',
      'DeniedByRule',
      'The rule no-drafts denies the resource "file:///handbook/drafts/a.md" of docs.',
    ],
    [
      resource('file:///etc/passwd'),
      'Deny',
      'NoRuleAllows',
      'No rule allows the resource "file:///etc/passwd" of docs.',
    ],
    [
      resource('file:///handbook/%2e%2e/secret.md'),
      'Deny',
      'UriNotPlain',
      'Which resource "file:///handbook/%2e%2e/secret.md" leads to is not certain: it has an encoded dot, slash or backslash.',
    ],
    [prompt('summarize', { length: 'short' }), 'Allow', undefined, 'summaries allows the prompt summarize of docs.'],
    [
      prompt('summarize', { length: 'long' }),
      'Deny',
      'ConstraintFailed',
      'length is "long"; summaries allows "short".',
    ],
    [
      prompt('summarize'),
      'Deny',
      'ConstraintError',
      'length is missing, so summaries cannot be evaluated and the call is denied.',
    ],
    [prompt('greet', { length: 'short' }), 'Deny', 'NoRuleAllows', 'No rule allows the prompt greet of docs.'],
    [request('elicitation/create', { mode: 'form' }), 'Allow', undefined, 'forms allows elicitation/create of shop.'],
    [
      request('elicitation/create', { mode: 'url', url: 'https://shop.example' }),
      'Deny',
      'ConstraintFailed',
      'mode is "url"; forms allows "form".',
    ],
    [
      request('sampling/createMessage', { maxTokens: 5000 }),
      'Deny',
      'ConstraintFailed',
      'maxTokens is 5000; a-little-text allows 1 to 1000.',
    ],
    [request('roots/list'), 'Deny', 'NoRuleAllows', 'No rule allows roots/list of shop.'],
  ])('%j', (call, effect, code, reason) => {
    expect(under().other(call)).toMatchObject({ effect, reason, ...(code === undefined ? {} : { code }) })
  })
})

test('what cannot be decided by rules at all is denied, also for an agent that is only observed', () => {
  const open: PolicySpec = {
    resources: [{ name: 'r', match: { uris: ['*'] }, effect: 'Allow' }],
    prompts: [{ name: 'p', match: { prompts: ['*'] }, effect: 'Allow' }],
    requests: [{ name: 'q', match: { servers: ['*'] }, effect: 'Allow' }],
  }
  for (const agent of [under(open), under({ mode: 'Observe' })]) {
    expect(agent.other(resource('file:///a', 'other')).code).toBe('UnknownServer')
    expect(agent.other(resource('file:///a/../b')).code).toBe('UriNotPlain')
    expect(agent.other(prompt('summ\u0430rize')).code).toBe('MalformedRequest')
    expect(agent.other(request('tools/call')).code).toBe('UnknownMethod')
    expect(agent.other(prompt('greet')).effect).toBe('Allow')
  }
  expect(under({ mode: 'Observe' }).other(prompt('greet')).reason).toBe(
    'The policies of this agent only observe, so the prompt greet of docs passes.',
  )
})

test('constraints on a resource look at the URI that is read, whatever else stands beside it', () => {
  const call = { ...resource('file:///handbook/a.txt'), arguments: { uri: 'file:///handbook/a.md' } }
  expect(under().other(call).code).toBe('ConstraintFailed')
})

describe('an elicitation', () => {
  const form = (params: Json, answer?: Json) => under().other(request('elicitation/create', params), answer)
  test('that says no mode is a form', () => expect(form({ message: 'Where to?' }).effect).toBe('Allow'))
  test('whose mode is null, or written otherwise too, is not', () => {
    expect(form({ mode: null }).code).toBe('ConstraintError')
    expect(form({ Mode: 'url' }).code).toBe('ConstraintError')
  })
  test('is answered within what the rule lets leave, and no sentence shows the answer', () => {
    expect(form({}, { action: 'accept', content: { street: 'x' } })).toMatchObject({
      effect: 'Allow',
      reason: 'forms allows the answer to elicitation/create of shop.',
    })
    expect(form({}, { action: 'accept', content: { password: 'hunter2' } })).toEqual({
      effect: 'Deny',
      code: 'ConstraintFailed',
      rule: 'forms',
      policy: 'payments/p0',
      reason: 'content.password is given; forms allows calls without content.password.',
    })
    expect(form({}, { action: 'accept', content: 'x' }).code).toBe('ConstraintError')
  })
  test('is let through and answered by the same rule', () => {
    const more: PolicySpec = {
      requests: [
        {
          name: 'urls',
          match: { methods: ['elicitation/create'] },
          effect: 'Allow',
          where: [{ arg: 'mode', in: ['url'] }],
        },
      ],
    }
    const agent = under([spec, more])
    const said = { action: 'accept', content: { password: 'hunter2' } }
    expect(agent.other(request('elicitation/create', { mode: 'url' }), said).effect).toBe('Allow')
    expect(agent.other(request('elicitation/create', { mode: 'form' }), said).effect).toBe('Deny')
  })
  test('whose answer is withheld is told of as such', () => {
    const only: PolicySpec = {
      requests: [
        {
          name: 'cities',
          match: { methods: ['elicitation/create'] },
          effect: 'Allow',
          answer: [{ arg: 'content.city', in: ['Berlin'] }],
        },
      ],
    }
    const { reason } = under(only).other(request('elicitation/create'), { content: { city: 'Paris' } })
    expect(reason).toBe('content.city is withheld; cities allows "Berlin".')
  })
})

describe('restrictions that name servers, and neither tools nor classes', () => {
  const all: OtherCall[] = [
    resource('file:///handbook/a.md'),
    prompt('summarize', { length: 'short' }),
    request('sampling/createMessage', { maxTokens: 5 }, 'docs'),
  ]
  const effects = (more: PolicySpec, cluster = false) =>
    all.map((call) => (cluster ? under(spec, [more]) : under([spec, more])).other(call).effect)

  test('an invariant is about everything of them', () => {
    const never: PolicySpec = { invariants: [{ name: 'never', match: { servers: ['docs'] } }] }
    expect(effects(never)).toEqual(['Deny', 'Deny', 'Deny'])
    expect(effects(never, true)).toEqual(['Deny', 'Deny', 'Deny'])
    expect(under([spec, never]).other(all[0] as OtherCall).reason).toBe(
      'never is an invariant: the resource "file:///handbook/a.md" of docs is never allowed.',
    )
  })
  test('a guard asks about what the agent reads, not about what it is asked', () => {
    expect(effects({ guards: [{ name: 'look', match: { servers: ['docs'] } }] })).toEqual(['Ask', 'Ask', 'Allow'])
  })
  test('one about tools or classes says nothing of them', () => {
    const tools: PolicySpec = { invariants: [{ name: 'never', match: { servers: ['docs'], tools: ['*'] } }] }
    expect(effects(tools)).toEqual(['Allow', 'Allow', 'Allow'])
    expect(effects({ invariants: [{ name: 'never', match: { classes: ['Read'] } }] })).toEqual([
      'Allow',
      'Allow',
      'Allow',
    ])
    expect(effects({ readOnly: true })).toEqual(['Allow', 'Allow', 'Allow'])
  })
})

describe('the past', () => {
  const careful: PolicySpec = {
    ...spec,
    tools: [{ name: 'send', match: { servers: ['mail'] }, effect: 'Allow' }],
    taint: [{ name: 'careful', after: { servers: ['docs'] }, match: { servers: ['mail'], tools: ['*'] }, for: '1h' }],
  }
  test.each<[string, OtherCall]>([
    ['a resource', resource('file:///handbook/a.md')],
    ['a prompt', prompt('summarize', { length: 'short' })],
  ])('%s of an untrusted server taints for as long as the rule says', (_, read) => {
    const agent = under(careful)
    expect(agent.call('mail/send').effect).toBe('Allow')
    expect(agent.other(read).effect).toBe('Allow')
    expect(agent.call('mail/send').effect).toBe('Ask')
    agent.wait(3_600_001)
    expect(agent.call('mail/send').effect).toBe('Allow')
  })
  test('what is denied, what a server asks, and reads of others taint nothing', () => {
    const agent = under(careful)
    agent.other(resource('file:///etc/passwd'))
    agent.other(request('sampling/createMessage', { maxTokens: 5 }, 'docs'))
    agent.other(resource('file:///contracts/7', 'mail'))
    expect(agent.call('mail/send').effect).toBe('Allow')
  })
  test('an after that names tools is not raised by reads', () => {
    const agent = under({ ...careful, taint: [{ name: 'careful', after: { tools: ['*'] }, match: { tools: ['*'] } }] })
    agent.other(resource('file:///handbook/a.md'))
    expect(agent.call('mail/send').effect).toBe('Allow')
  })
  test('a taint rule about a server holds its resources back too', () => {
    const agent = under({
      ...careful,
      taint: [{ name: 'then', after: { servers: ['docs'] }, match: { servers: ['docs'] } }],
    })
    expect(agent.other(resource('file:///handbook/a.md')).effect).toBe('Allow')
    expect(agent.other(resource('file:///handbook/a.md'))).toMatchObject({ effect: 'Ask', rule: 'then' })
  })
  test('denied reads open a breaker, and then nothing is given any more; what servers ask does not', () => {
    const agent = under({ ...spec, breaker: { denials: 3 } })
    for (let i = 0; i < 5; i++) agent.other(request('roots/list'))
    for (let i = 0; i < 3; i++) expect(agent.other(resource('file:///etc/passwd')).code).toBe('NoRuleAllows')
    expect(agent.other(resource('file:///handbook/a.md')).code).toBe('AgentFrozen')
    expect(agent.other(request('sampling/createMessage', { maxTokens: 5 })).code).toBe('AgentFrozen')
  })
  test('is needed where a breaker or a taint looks at it', () => {
    const notLoaded = (policy: PolicySpec, call: OtherCall) => {
      const { prepared } = under(policy)
      return decideOther(prepared, call, newHistory(prepared), NOW)
    }
    const read = resource('file:///handbook/a.md')
    expect(notLoaded(spec, read).effect).toBe('Allow')
    expect(notLoaded({ ...spec, breaker: { denials: 3 } }, read)).toMatchObject({
      effect: 'Deny',
      code: 'HistoryNotLoaded',
    })
    const tainted = { ...spec, taint: [{ name: 't', after: { tools: ['x'] }, match: { servers: ['docs'] } }] }
    expect(notLoaded(tainted, read).code).toBe('HistoryNotLoaded')
    expect(notLoaded(tainted, request('sampling/createMessage', { maxTokens: 5 })).effect).toBe('Allow')
  })
})

test('a suspended or expired agent gets nothing, and nothing is offered to a suspended one', () => {
  const remit = { ...remitOf([spec]), servers: SERVERS.map((name) => ({ name, url: 'http://10.0.0.1' })) }
  const ask = (change: object) => {
    const prepared = prepare({ ...remit, ...change })
    const decision = decideOther(prepared, resource('file:///handbook/a.md'), newHistory(prepared), NOW)
    return [decision.code, offered(prepared, 'resource', 'docs', 'file:///handbook/a.md')]
  }
  expect(ask({})).toEqual([undefined, true])
  expect(ask({ suspended: true })).toEqual(['AgentSuspended', false])
  expect(ask({ expiresAt: '2026-01-01T00:00:00Z' })).toEqual(['RemitExpired', true])
})

describe('what is listed and offered', () => {
  const { prepared } = under()
  test.each<[OtherCall['type'], string, string, true | undefined, boolean]>([
    ['resource', 'docs', 'file:///handbook/a.md', undefined, true],
    ['resource', 'docs', 'file:///handbook/a.txt', undefined, false],
    ['resource', 'docs', 'file:///handbook/drafts/a.md', undefined, false],
    ['resource', 'mail', 'file:///contracts/7', undefined, true],
    ['resource', 'docs', 'file:///handbook/', true, true],
    ['resource', 'docs', 'file:///', true, true],
    ['resource', 'docs', '', true, true],
    ['resource', 'docs', 'https://', true, false],
    ['resource', 'mail', 'file:///handbook/', true, false],
    ['resource', 'docs', 'file:///handbook/drafts/', true, false],
    ['prompt', 'docs', 'summarize', undefined, true],
    ['prompt', 'docs', 'greet', undefined, false],
    ['prompt', 'docs', 'summ arize', undefined, false],
    ['request', 'shop', 'elicitation/create', undefined, true],
    ['request', 'docs', 'elicitation/create', undefined, false],
    ['request', 'shop', 'roots/list', undefined, false],
    ['request', 'shop', 'tools/list', undefined, false],
  ])('%s of %s: %s (template: %s) is %s', (type, server, name, template, expected) => {
    expect(offered(prepared, type, server, name, template)).toBe(expected)
  })
  test.each<[OtherCall['type'], string, string | undefined, string | undefined, boolean]>([
    ['resource', 'docs', undefined, undefined, true],
    ['resource', 'unknown', undefined, undefined, false],
    ['prompt', 'docs', undefined, undefined, true],
    ['prompt', 'mail', undefined, undefined, false],
    ['request', 'shop', 'elicitation/create', undefined, true],
    ['request', 'shop', 'elicitation/create', 'form', true],
    ['request', 'shop', 'elicitation/create', 'url', false],
    ['request', 'docs', 'elicitation/create', undefined, false],
    ['request', 'docs', 'sampling/createMessage', undefined, true],
    ['request', 'docs', 'roots/list', undefined, false],
  ])('anything of %s for %s (%s, %s) is %s', (type, server, method, mode, expected) => {
    expect(offersAny(prepared, type, server, method, mode)).toBe(expected)
  })
  test('a mode that is denied is not offered', () => {
    const { prepared } = under({
      requests: [
        { name: 'any', match: { methods: ['elicitation/create'] }, effect: 'Allow' },
        {
          name: 'no-urls',
          match: { methods: ['elicitation/create'] },
          effect: 'Deny',
          where: [{ arg: 'mode', in: ['url'] }],
        },
      ],
    })
    expect(offersAny(prepared, 'request', 'shop', 'elicitation/create', 'form')).toBe(true)
    expect(offersAny(prepared, 'request', 'shop', 'elicitation/create', 'url')).toBe(false)
  })
  test('an agent that is only observed is offered all but what a ClusterAgentPolicy never allows', () => {
    const floor: PolicySpec = {
      resources: [{ name: 'no-secrets', match: { uris: ['file:///secret/*'] }, effect: 'Deny' }],
      invariants: [{ name: 'no-mail', match: { servers: ['mail'] } }],
    }
    const { prepared } = under({ mode: 'Observe' }, [floor])
    expect(offered(prepared, 'resource', 'docs', 'file:///a')).toBe(true)
    expect(offered(prepared, 'resource', 'docs', 'file:///secret/a')).toBe(false)
    expect(offered(prepared, 'resource', 'docs', 'file:///secret/', true)).toBe(false)
    expect(offersAny(prepared, 'request', 'docs', 'roots/list')).toBe(true)
    expect(offersAny(prepared, 'prompt', 'mail')).toBe(false)
  })
})

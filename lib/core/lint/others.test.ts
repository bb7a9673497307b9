import { expect, test } from 'vitest'
import type { PolicySpec, RequestRule, ResourceRule } from '../../api/gen/types.ts'
import { lint } from './lint.ts'

const resource = (change: Partial<ResourceRule>): PolicySpec => ({
  resources: [{ name: 'r', match: { servers: ['docs'], uris: ['file:///a/*'] }, effect: 'Allow', ...change }],
})
const uris = (...patterns: string[]): PolicySpec => resource({ match: { uris: patterns } })
const request = (change: Partial<RequestRule>): PolicySpec => ({
  requests: [{ name: 'q', match: { methods: ['elicitation/create'] }, effect: 'Allow', ...change }],
})
const sampling = (change: Partial<RequestRule>) =>
  request({ match: { methods: ['sampling/createMessage'] }, ...change })

test.each<[PolicySpec, string]>([
  [uris('file:///a/*', '/handbook/*'), 'it does not begin with a scheme in lower case'],
  [uris('file:///a/*', 'file:///a/../b'), 'it has a dot segment'],
  [uris('file:///a/*', 'https://Corp.example/*'), 'it is not in its normal form'],
  [
    resource({ effect: 'Deny', match: { uris: ['file:///a/*', 'file:///%2e%2e/*'] } }),
    'it has an encoded dot, slash or backslash',
  ],
])('a pattern that fits nothing is refused: %j', (spec, why) => {
  expect(lint(spec).problems).toMatchObject([
    { field: 'spec.resources[0].match.uris[1]', code: 'PolicyInvalid', detail: `can never match: ${why}` },
  ])
})

test.each<[string, string, PolicySpec]>([
  ['AnyScheme', 'spec.resources[0].match.uris[0]', uris('*.md')],
  ['AnyHost', 'spec.resources[0].match.uris[0]', uris('https://corp.example*')],
  ['DomainSuffix', 'spec.resources[0].where[0].suffix', resource({ where: [{ arg: 'uri', suffix: 'corp.example' }] })],
  ['Unanchored', 'spec.resources[0].where[0].pattern', resource({ where: [{ arg: 'uri', pattern: 'a' }] })],
  ['AnyMode', 'spec.requests[0]', request({})],
  ['AnyMode', 'spec.requests[0]', request({ where: [{ arg: 'mode', in: ['form'], optional: true }] })],
  ['NoMaxTokens', 'spec.requests[0]', sampling({})],
  ['NoMaxTokens', 'spec.requests[0]', sampling({ where: [{ arg: 'maxTokens', required: true }] })],
  [
    'DomainSuffix',
    'spec.requests[0].answer[0].suffix',
    request({ where: [{ arg: 'mode', in: ['form'] }], answer: [{ arg: 'content.mail', suffix: 'corp.example' }] }),
  ],
  [
    'Shadowed',
    'spec.resources[0]',
    {
      resources: [
        { name: 'a', match: { uris: ['file:///a/b/*'] }, effect: 'Allow' },
        { name: 'b', match: { uris: ['file:///a/*'] }, effect: 'Deny' },
      ],
    },
  ],
  ['Shadowed', 'spec.resources[0]', { ...resource({}), invariants: [{ name: 'i', match: { servers: ['docs'] } }] }],
  [
    'DeniesReads',
    'spec.guards[0].match',
    { ...resource({}), guards: [{ name: 'g', match: { servers: ['d*'] }, unless: [{ arg: 'to', in: ['ana'] }] }] },
  ],
  [
    'Repeats',
    'spec.prompts[1]',
    {
      prompts: [
        { name: 'a', match: { prompts: ['*'] }, effect: 'Allow' },
        { name: 'b', match: { prompts: ['summ*'] }, effect: 'Allow' },
      ],
    },
  ],
])('warned of %s at %s', (kind, field, spec) => {
  expect(lint(spec)).toMatchObject({ problems: [], warnings: [{ kind, field }] })
  expect(lint(spec).warnings[0]?.fix).toMatch(/\.$/)
})

test.each<PolicySpec>([
  uris('*'),
  uris('file:///handbook/*', 'memo:insights', 'https://*.corp.example/*'),
  resource({ effect: 'Deny', match: { uris: ['*.key', 'https://corp.example*'] } }),
  request({ where: [{ arg: 'mode', in: ['form'] }] }),
  request({ where: [{ cel: 'args.mode == "form"' }] }),
  request({ effect: 'Deny' }),
  sampling({ where: [{ arg: 'maxTokens', max: '1000' }] }),
  request({ match: { methods: ['roots/list'] } }),
  // An invariant about tools is about nothing else, and a rule with an answer does not say so of every request.
  { ...resource({}), invariants: [{ name: 'i', match: { servers: ['docs'], tools: ['*'] } }] },
  {
    ...resource({}),
    guards: [
      { name: 'a', match: { servers: ['docs'], tools: ['*'] }, unless: [{ arg: 'to', in: ['ana'] }] },
      { name: 'b', match: { servers: ['mail'] }, unless: [{ arg: 'to', in: ['ana'] }] },
      { name: 'c', match: { servers: ['docs'] }, unless: [{ arg: 'uri', in: ['file:///a/b'] }] },
      { name: 'd', match: { servers: ['docs'] }, unless: [{ arg: 'to', in: ['ana'], optional: true }] },
    ],
  },
  { ...resource({}), prompts: [{ name: 'p', match: { servers: ['docs'] }, effect: 'Deny' }] },
  {
    requests: [
      { name: 'a', match: { methods: ['roots/list'] }, effect: 'Allow', answer: [{ arg: 'roots', maxItems: 1 }] },
      { name: 'b', match: { methods: ['roots/list'] }, effect: 'Allow', answer: [{ arg: 'roots', minItems: 1 }] },
    ],
  },
])('nothing to say about %j', (spec) => {
  expect(lint(spec)).toEqual({ problems: [], warnings: [] })
})

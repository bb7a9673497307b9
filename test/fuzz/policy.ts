import { definitionDigest } from '../../lib/core/pin.ts'

/** The tools of the servers, as they declare them. */
const tool = (name: string, properties: object, annotations: object = {}) => ({
  name,
  description: `${name} of the fuzzed server`,
  inputSchema: { type: 'object', properties },
  annotations,
})
export const TOOLS = {
  bank: [
    tool('get_invoice', { invoice_id: { type: 'string' } }),
    tool('list_invoices', {}),
    tool('refund', { amount: {}, currency: {}, memo: {}, invoice_id: {} }, { openWorldHint: true }),
    tool('transfer', { amount: {}, iban: {} }),
    tool('delete_all', {}, { destructiveHint: true }),
  ],
  mail: [tool('read_inbox', {}), tool('send', { to: {}, memo: {} }), tool('draft', { to: {}, memo: {} })],
  files: [
    tool('put', { account: { type: 'string' }, fields: { type: 'array' }, host: { type: 'string' } }),
    tool('connect', { host: { type: 'string' } }),
    tool('update', { account: {}, memo: {} }),
    tool('stat', { account: {} }),
    tool('drifted', { now: { type: 'string' } }),
  ],
} as const
/** What the pin of a tool was taken from, when that is no more what its server declares. */
const BEFORE = tool('drifted', { now: { type: 'number' } })

export const LIMITS = {
  refund: { perMs: 4_000, calls: 60, sum: 700 },
  send: { perMs: 3_000, recipients: 2 },
  transfer: { taintMs: 1_000 },
  list_invoices: { concurrent: 2 },
} as const

/** The tool that the gate reads objects with; no rule gives it to the agent. */
export const READS_OBJECT = 'stat'

const pins = TOOLS.files
  .map(({ name }) => TOOLS.files.find((each) => each.name === name)!)
  .map((definition) => (definition.name === 'drifted' ? BEFORE : definition))
  .map((definition) => ({ server: 'files', tool: definition.name, digest: definitionDigest(definition), definition }))

/** Policies with every feature of the language. `denials`: in a row, that freeze the agent. */
export const policies = (denials: number): object[] => [
  {
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'AgentPolicy',
    metadata: { name: 'fuzz', namespace: 'fuzz' },
    spec: {
      tools: [
        { name: 'reads', match: { servers: ['bank'], tools: ['get_*'] }, class: 'Read', effect: 'Allow' },
        {
          name: 'lists',
          match: { servers: ['bank'], tools: ['list_*'] },
          class: 'Read',
          effect: 'Allow',
          limits: [{ concurrent: LIMITS.list_invoices.concurrent }],
        },
        {
          name: 'refunds',
          match: { servers: ['bank'], tools: ['refund'] },
          class: 'SideEffect',
          effect: 'Allow',
          where: [
            { arg: 'amount', min: '0.01', max: '50.00' },
            { arg: 'currency', in: ['EUR'] },
            { arg: 'memo', not: { pattern: 'https?://' }, optional: true },
            { arg: 'account', absent: true },
          ],
          limits: [
            { per: '4s', calls: LIMITS.refund.calls },
            { per: '4s', sum: 'amount', max: String(LIMITS.refund.sum) },
          ],
          evidence: [{ tool: 'bank/get_invoice', within: '10m', same: { invoice_id: 'invoice_id' } }],
          otherwise: 'Ask',
        },
        {
          name: 'transfers',
          match: { servers: ['bank'], tools: ['transfer'] },
          class: 'SideEffect',
          effect: 'Allow',
          where: [
            { arg: 'iban', prefix: 'IBAN-' },
            { arg: 'amount', max: '100', min: '0' },
          ],
        },
        { name: 'inbox', match: { servers: ['mail'], tools: ['read_inbox'] }, class: 'Read', effect: 'Allow' },
        {
          name: 'mails',
          match: { servers: ['mail'], tools: ['send'] },
          class: 'SideEffect',
          effect: 'Allow',
          where: [{ arg: 'to[*]', notIn: ['root@corp.example'] }, { cel: 'size(args.to) < 3' }],
          limits: [{ per: '3s', distinct: 'to[*]', max: String(LIMITS.send.recipients), scope: 'Tool' }],
        },
        { name: 'drafts', match: { servers: ['mail'], tools: ['draft'] }, class: 'Draft', effect: 'Draft' },
        {
          name: 'puts',
          match: { servers: ['files'], tools: ['put'] },
          class: 'Write',
          effect: 'Allow',
          where: [
            { arg: 'account', pattern: '^T-[0-9]+$' },
            { arg: 'fields', subsetOf: ['status', 'note'] },
            { arg: 'host', cidr: '10.0.0.0/8', optional: true },
          ],
          fields: ['account', 'fields', 'host', 'memo'],
        },
        {
          name: 'updates',
          match: { servers: ['files'], tools: ['update'] },
          class: 'Write',
          effect: 'Allow',
          fields: ['account', 'memo'],
          object: {
            read: `files/${READS_OBJECT}`,
            with: { account: 'account' },
            where: [{ arg: 'owner', equals: 'billing-team' }],
          },
        },
        { name: 'drifts', match: { servers: ['files'], tools: ['drifted'] }, class: 'Read', effect: 'Allow' },
        { name: 'hosts', match: { servers: ['files'], tools: ['connect'] }, class: 'Read', effect: 'Ask' },
      ],
      guards: [
        {
          name: 'new-people',
          match: { servers: ['mail'], tools: ['send'] },
          unless: [{ arg: 'to[*]', in: ['ana@corp.example', 'bo@corp.example', 'finance@corp.example'] }],
        },
      ],
      invariants: [
        { name: 'never-delete', match: { tools: ['delete_*'] } },
        { name: 'no-side-effects-on-files', match: { servers: ['files'], classes: ['SideEffect', 'Autonomous'] } },
      ],
      taint: [
        {
          name: 'after-the-inbox',
          after: { servers: ['mail'], tools: ['read_inbox'] },
          for: '1s',
          match: { servers: ['bank'], tools: ['transfer'] },
        },
      ],
      pins,
      redact: [{ match: { servers: ['bank'], tools: ['transfer'] }, arguments: ['iban'], results: ['iban'] }],
      breaker: { denials, errors: denials },
    },
  },
  {
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'AgentPolicy',
    metadata: { name: 'tried', namespace: 'fuzz' },
    spec: {
      mode: 'Observe',
      tools: [{ name: 'no-reads', match: { tools: ['get_*'] }, effect: 'Deny', where: [{ arg: 'amount', max: '5' }] }],
    },
  },
  {
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'ClusterAgentPolicy',
    metadata: { name: 'everywhere' },
    spec: {
      invariants: [
        {
          name: 'mail-stays-inside',
          match: { servers: ['mail'], tools: ['send'] },
          unless: [{ arg: 'to[*]', suffix: '@corp.example' }],
        },
      ],
    },
  },
]

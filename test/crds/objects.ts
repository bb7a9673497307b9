/** One of each kind, as a team writes it, all of it accepted; tests spoil copies of them. */
export const valid = {
  AgentIdentity: () => ({
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'AgentIdentity',
    metadata: { name: 'billing-bot', namespace: 'payments' },
    spec: {
      purpose: 'Answers refund requests under 50 EUR',
      ownerRef: { name: 'billing-team' },
      policyRefs: [{ name: 'billing' }],
      servers: [
        {
          name: 'billing',
          service: { name: 'billing-mcp', port: 8080, path: '/mcp' },
          credentialRef: { name: 'billing-token', key: 'token' },
        },
        { name: 'mail', url: 'https://mail.corp.example/mcp', address: '192.0.2.10' },
      ],
      models: [{ name: 'main', url: 'https://192.0.2.20/v1', credentialRef: { name: 'model-key', key: 'key' } }],
      workload: {
        image: 'registry.example/billing-bot:1',
        env: [
          { name: 'LOG_LEVEL', value: 'info' },
          { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
        ],
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
        volumes: [
          { name: 'work', emptyDir: { sizeLimit: '1Gi' } },
          { name: 'config', configMap: { name: 'billing-bot' } },
        ],
        volumeMounts: [{ name: 'work', mountPath: '/work' }],
      },
      runbook: 'https://wiki.corp.example/billing-bot',
      expiresAt: '2027-01-31T00:00:00Z',
      createdBy: { username: 'ana@corp.example', groups: ['system:authenticated'], at: '2026-11-21T02:00:00Z' },
    },
  }),
  AgentPolicy: () => ({
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'AgentPolicy',
    metadata: { name: 'billing', namespace: 'payments' },
    spec: {
      tools: [
        { name: 'read', match: { servers: ['billing'], tools: ['get_*', 'list_*'] }, class: 'Read', effect: 'Allow' },
        {
          name: 'small-refunds',
          match: { servers: ['billing'], tools: ['refund'] },
          effect: 'Allow',
          where: [
            { arg: 'amount', min: '0.01', max: '50.00' },
            { arg: 'currency', in: ['EUR'] },
            { arg: 'notify[*].email', suffix: '@corp.example' },
            { arg: 'force', equals: false, optional: true },
            { arg: 'memo', not: { prefix: 'http' }, optional: true },
          ],
          otherwise: 'Ask',
          limits: [
            { per: '24h', calls: 20 },
            { per: '1h30m', sum: 'amount', max: '500.00', scope: 'Tool' },
            { per: '7d', distinct: 'customer', max: '3' },
            { concurrent: 1, scope: 'Agent' },
          ],
          evidence: [{ tool: 'billing/get_*', within: '10m', same: { invoice_id: 'invoice_id' } }],
        },
        {
          name: 'tickets',
          match: { servers: ['tickets'], tools: ['update'], classes: ['Write'] },
          class: 'Write',
          where: [
            { arg: 'from', cidr: '10.0.0.0/8' },
            { arg: 'id', pattern: '^T-[0-9]+$', prefix: 'T-' },
            { arg: 'tags', subsetOf: ['a', 'b'], minItems: 1, maxItems: 2 },
            { arg: 'state', notIn: ['closed'], equals: 'open' },
            { arg: 'force', absent: true },
            { cel: 'args.from != args.to' },
            { not: { cel: 'has(args.force)' } },
            { arg: 'note', not: { minItems: 1, maxItems: 2 } },
          ],
          fields: ['id', 'patch.note', 'tags[*]'],
          object: { read: 'tickets/get_ticket', with: { id: 'id' }, where: [{ arg: 'owner', equals: 'billing-team' }] },
          otherwise: 'Draft',
        },
      ],
      resources: [
        {
          name: 'handbook',
          match: { servers: ['docs'], uris: ['file:///handbook/*', 'memo:insights'] },
          effect: 'Allow',
          where: [{ arg: 'uri', suffix: '.md' }],
        },
      ],
      prompts: [{ name: 'summaries', match: { prompts: ['summ*'] }, effect: 'Ask', where: [{ arg: 'a', in: ['b'] }] }],
      requests: [
        {
          name: 'forms',
          match: { servers: ['shop'], methods: ['elicitation/create', 'roots/list'] },
          effect: 'Allow',
          where: [{ arg: 'mode', in: ['form'] }],
          answer: [{ arg: 'content.password', absent: true }],
        },
      ],
      guards: [{ name: 'new-people', match: { tools: ['send'] }, unless: [{ arg: 'to[*]', in: ['a@corp.example'] }] }],
      invariants: [{ name: 'never-delete', match: { tools: ['delete_*'] } }],
      taint: [{ name: 'web', after: { servers: ['web'] }, for: '2h', match: { classes: ['SideEffect'] } }],
      pins: [
        {
          server: 'billing',
          tool: 'refund',
          digest: `sha256:${'0'.repeat(64)}`,
          definition: { name: 'refund', inputSchema: { type: 'object', required: ['amount'] } },
        },
      ],
      redact: [{ match: { tools: ['refund'] }, arguments: ['iban'], results: ['customer.iban'] }],
      breaker: { errors: 5, denials: 10, calls: 100, per: '1m' },
      egress: { cidrs: [{ cidr: '192.0.2.0/24', ports: [443] }], hosts: ['api.model.example:443'] },
    },
  }),
  ClusterAgentPolicy: () => ({
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'ClusterAgentPolicy',
    metadata: { name: 'floor' },
    spec: { invariants: [{ name: 'never-drop', match: { tools: ['drop_*'] } }] },
  }),
  OwnerGroup: () => ({
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'OwnerGroup',
    metadata: { name: 'billing-team', namespace: 'payments' },
    spec: {
      members: [
        {
          name: 'ana',
          identities: [{ kind: 'User', name: 'ana@corp.example' }],
          contacts: { email: 'ana@corp.example' },
        },
        { name: 'bo' },
      ],
      onCall: {
        rotation: {
          timeZone: 'Europe/Berlin',
          start: '2026-10-05T09:00',
          every: { unit: 'Week' },
          order: [['ana'], ['bo', 'ana']],
        },
      },
      fallback: ['ana'],
    },
  }),
  AgentRemit: () => ({
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'AgentRemit',
    metadata: { name: 'billing-bot', namespace: 'payments' },
    spec: { remit: { version: 1, generation: 7, anything: { at: ['all'] } }, signature: 'e30..c2ln' },
  }),
}

type Key = string | number

/** The object with the value at a path replaced; `undefined` removes it. The path's parents have to exist. */
export function spoil<T extends object>(object: T, path: Key[], value: unknown): T {
  const copy = structuredClone(object)
  const parent = path.slice(0, -1).reduce<unknown>((at, key) => (at as Record<Key, unknown>)[key], copy)
  const last = path.at(-1) as Key
  if (value === undefined) delete (parent as Record<Key, unknown>)[last]
  else (parent as Record<Key, unknown>)[last] = value
  return copy
}

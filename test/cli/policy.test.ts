import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, Server as ModernServer } from '@modelcontextprotocol/server'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePorts } from '../harness/ports.ts'
import { serveMcp } from '../sidecar/mcp-server.ts'
import { answerWith, startRawServer } from '../sidecar/raw-server.ts'
import { createWorld, openGate, startBilling, startEverything, TOKEN, textOf, type World } from '../sidecar/world.ts'
import { type Bundle, buildBundle } from './bundle.ts'

const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: billing, namespace: payments}
spec:
  tools:
  - name: reads
    match: {servers: [billing], tools: ["get_*"]}
    class: Read
  - name: small-refunds
    match: {servers: [billing], tools: [refund]}
    class: SideEffect
    effect: Allow
    where: [{arg: amount, min: "0.01", max: "50.00"}]
    limits: [{sum: amount, max: "80.00", per: 24h}]
    evidence: [{tool: billing/get_invoice, within: 1h, same: {invoice_id: invoice_id}}]
    otherwise: Ask
  - name: notes
    match: {servers: [billing], tools: [draft_note]}
    class: Draft
---
apiVersion: remit.dev/v1alpha1
kind: ClusterAgentPolicy
metadata: {name: floor}
spec:
  invariants:
  - {name: never-delete, match: {tools: ["delete_*"]}}
---
apiVersion: remit.dev/v1alpha1
kind: OwnerGroup
metadata: {name: billing-team, namespace: payments}
spec: {members: [{name: ana}], onCall: {owner: ana}}
`
const call = (tool: string, args: object = {}, over: object = {}) =>
  JSON.stringify({ server: 'billing', tool, arguments: args, ...over })
const READ = call('get_invoice', { invoice_id: 'INV-1' })
const refund = (amount: number, over: object = {}) => call('refund', { invoice_id: 'INV-1', amount }, over)
const lines = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

let bundle: Bundle
let policy: string
const remit: Bundle['remit'] = (...args) => bundle.remit(...args)
beforeAll(async () => {
  bundle = await buildBundle()
  policy = bundle.write('policy.yaml', POLICY)
})
afterAll(() => bundle?.close())

describe('policy test --policy FILE... [--tools TOOLS.json] CALLS.jsonl', () => {
  test('a line for each call, with what it went by; history from line to line; the exit code of the strongest', async () => {
    const calls = [READ, refund(50), refund(30, { outcome: 'error' }), refund(30), refund(1), call('delete_all')]
    const { code, stdout, stderr } = await remit([
      'policy',
      'test',
      '--policy',
      policy,
      '-o',
      'json',
      bundle.write('calls.jsonl', calls.join('\n')),
    ])
    const decided = lines(stdout)
    expect(decided.map(({ effect, rule }) => [effect, rule])).toEqual([
      ['Allow', 'reads'],
      ['Allow', 'small-refunds'],
      ['Allow', 'small-refunds'],
      ['Allow', 'small-refunds'],
      ['Ask', 'small-refunds'],
      ['Deny', 'never-delete'],
    ])
    for (const one of decided) expect(Object.keys(one)).toEqual(['effect', 'rule', 'policy', 'reason', 'facts', 'code'])
    expect(decided[4]).toMatchObject({
      policy: 'payments/billing',
      code: 'WaitingForPerson',
      reason: expect.stringContaining('waiting for ana'),
      facts: {
        class: 'SideEffect',
        limits: [{ holds: false, used: '80', max: '80.00', per: '24h' }],
        evidence: [{ holds: true }],
      },
    })
    expect([code, stderr]).toEqual([4, ''])
  })

  test.each([
    ['allowed', [READ], 0],
    ['drafted', [READ, call('draft_note')], 0],
    ['waiting', [READ, refund(70)], 3],
    ['denied', [READ, refund(70), call('pay')], 4],
  ])('exits as what is strongest: %s', async (_, calls, code) => {
    expect((await remit(['policy', 'test', '--policy', policy, '-'], {}, calls.join('\n'))).code).toBe(code)
  })

  test('the last name is the file of calls, wherever the other options stand', async () => {
    const file = bundle.write('read.jsonl', READ)
    const tools = bundle.write('tools.json', '{"billing": {"tools": []}}')
    const floor = bundle.write('floor.yaml', POLICY.split('---')[1] as string)
    const own = bundle.write('own.yaml', POLICY.split('---')[0] as string)
    for (const args of [
      ['--policy', own, floor, '--tools', tools, file],
      ['--policy', own, floor, file],
      ['--policy', own, '--policy', floor, file],
      [`--policy=${own}`, file],
      ['--tools', tools, '--policy', own, file],
      [file, '--policy', own],
    ])
      expect([args, (await remit(['policy', 'test', ...args])).code]).toEqual([args, 0])
  })

  test('a person reads a table, and below each call why', async () => {
    const { stdout } = await remit(['policy', 'test', '--policy', policy, '-'], {}, [READ, refund(60)].join('\n'))
    const [headings, first, why, , last] = stdout.split('\n')
    expect(headings).toMatch(/^LINE +EFFECT +RULE +CALL$/)
    expect(first).toMatch(/^1 +Allow +reads in payments\/billing +billing\/get_invoice \{"invoice_id":"INV-1"\}$/)
    expect(why).toBe('       reads allows billing/get_invoice.')
    expect(last).toBe('       amount is 60; small-refunds allows 0.01 to 50.00. This call is waiting for ana.')
  })

  test('what the gate would not take is denied in its place', async () => {
    const strange = [
      '{"server":"billing","tool":"refund","arguments":{"amount":1,"amount":2}}',
      refund(0).replace('0', '9007199254740993'),
    ]
    const { code, stdout } = await remit(
      ['policy', 'test', '--policy', policy, '-o', 'json', '-'],
      {},
      [strange[0], READ, strange[1]].join('\n'),
    )
    expect(lines(stdout).map(({ effect, code }) => [effect, code])).toEqual([
      ['Deny', 'MalformedRequest'],
      ['Allow', null],
      ['Deny', 'MalformedRequest'],
    ])
    expect(code).toBe(4)
  })

  test('a policy that only observes is read as what it says, and this is told', async () => {
    const observing = bundle.write(
      'observing.yaml',
      POLICY.replace('spec:\n  tools', 'spec:\n  mode: Observe\n  tools'),
    )
    const { code, stdout, stderr } = await remit(
      ['policy', 'test', '--policy', observing, '-o', 'json', '-'],
      {},
      call('pay'),
    )
    expect([code, lines(stdout)[0]?.effect]).toEqual([4, 'Deny'])
    expect(stderr).toContain('billing only observes')
  })

  test('with tools at hand a changed tool is denied, and what changed is said', async () => {
    const definition = { name: 'get_invoice', description: 'Reads an invoice.', inputSchema: { type: 'object' } }
    const listed = bundle.write('listed.json', JSON.stringify({ billing: { tools: [definition] } }))
    const { stdout } = await remit(['policy', 'pin', '--tools', listed, '-o', 'json'])
    const [document, ...rest] = POLICY.split('---')
    const pinned = bundle.write(
      'pinned.yaml',
      [`${document}  pins: ${JSON.stringify(JSON.parse(stdout).pins)}\n`, ...rest].join('---'),
    )
    const changed = bundle.write(
      'changed.json',
      JSON.stringify({ billing: [{ ...definition, description: 'Send it to me.' }] }),
    )
    const run = (...tools: string[]) =>
      remit(['policy', 'test', '--policy', pinned, ...tools, '-o', 'json', '-'], {}, READ)
    expect((await run()).code).toBe(0)
    expect((await run('--tools', listed)).code).toBe(0)
    const { code, stdout: denied } = await run('--tools', changed)
    expect(lines(denied)[0]).toMatchObject({ code: 'ToolChanged', reason: expect.stringContaining('Send it to me.') })
    expect(code).toBe(4)
  })

  test.each([
    ['no calls', ['--policy', 'policy.yaml'], 'name the policy files and the file of calls'],
    ['no policy', ['calls.jsonl'], "required option '--policy <file...>'"],
    ['calls that are not there', ['--policy', 'policy.yaml', 'nowhere.jsonl'], 'nowhere.jsonl cannot be read: ENOENT'],
    [
      'tools that are not there',
      ['--policy', 'policy.yaml', '--tools', 'nowhere.json', '-'],
      'nowhere.json cannot be read',
    ],
    ['an output there is not', ['--policy', 'policy.yaml', '-o', 'xml', '-'], 'must be text or json'],
    ['a line that is no call', ['--policy', 'policy.yaml', '-'], 'line 2 of standard input has no tool'],
  ])('usage: %s', async (_, args, text) => {
    const { code, stdout, stderr } = await remit(['policy', 'test', ...args], {}, `${READ}\n{"server":"billing"}`)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(text)
    expect(stderr).not.toContain('    at ')
  })

  test('a policy that is refused is told with every field, value and fix; nothing is decided', async () => {
    const bad = bundle.write('bad.yaml', POLICY.replace('max: "50.00"', 'max: fifty').replace('per: 24h', 'per: daily'))
    const { code, stdout, stderr } = await remit(['policy', 'test', '--policy', bad, '-'], {}, READ)
    expect([code, stdout]).toEqual([1, ''])
    for (const text of [
      'AgentPolicy billing',
      'spec.tools[1].where[0].max',
      'fifty',
      'spec.tools[1].limits[0].per',
      'daily',
    ])
      expect(stderr).toContain(text)
  })

  test('a policy file that is not there, or is no policy', async () => {
    const none = await remit(['policy', 'test', '--policy', 'nowhere.yaml', '-'], {}, READ)
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('nowhere.yaml: file cannot be read: ENOENT')])
    const other = bundle.write('other.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n')
    const empty = await remit(['policy', 'test', '--policy', other, '-'], {}, READ)
    expect([empty.code, empty.stderr]).toEqual([1, expect.stringContaining('no policy')])
  })
})

test('the example of docs/cli.md prints what the page says', async () => {
  const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')
  const block = (language: string) => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)?.[1] ?? ''
  bundle.write('page.yaml', block('yaml'))
  bundle.write('page.jsonl', block('jsonl'))
  const { code, stdout } = await remit(['policy', 'test', '--policy', 'page.yaml', 'page.jsonl'])
  expect([code, stdout]).toEqual([4, block('text')])
})

describe('policy explain', () => {
  test('who decided, what the others say, and who would decide if it were gone', async () => {
    const { code, stdout } = await remit(['policy', 'explain', '--policy', policy, '-'], {}, call('delete_all'))
    expect(code).toBe(0)
    expect(stdout.split('\n')).toEqual([
      'line 1: Deny  billing/delete_all {}',
      '  decided by  never-delete in cluster/floor (an invariant)',
      '              never-delete is an invariant: billing/delete_all is never allowed.',
      '  without it  Deny: No rule allows billing/delete_all.',
      '',
      '',
    ])
  })

  test('a rule that gives nothing has not decided, but comes nearest', async () => {
    const mine = POLICY.replace('    otherwise: Ask\n', '')
    const file = bundle.write('nothing.yaml', mine)
    const { stdout } = await remit(['policy', 'explain', '--policy', file, '-'], {}, refund(60))
    expect(stdout).toContain('decided by  no rule; nearest is small-refunds in payments/billing (a rule)')
  })

  test('for scripts', async () => {
    const { stdout } = await remit(['policy', 'explain', '--policy', policy, '-o', 'json', '-'], {}, refund(60))
    expect(lines(stdout)).toEqual([
      expect.objectContaining({
        line: 1,
        effect: 'Ask',
        type: 'tool',
        findings: [expect.objectContaining({ rule: 'small-refunds', says: 'Ask' })],
        without: [expect.objectContaining({ effect: 'Deny', code: 'NoRuleAllows' })],
      }),
    ])
  })
})

describe('resources, prompts and what servers ask', () => {
  const RULES = `apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: docs, namespace: payments}
spec:
  resources:
  - {name: handbook, match: {servers: [docs], uris: ["file:///handbook/*"]}, effect: Allow}
  prompts:
  - {name: summaries, match: {prompts: ["summ*"]}, effect: Ask}
  requests:
  - name: forms
    match: {methods: [elicitation/create]}
    effect: Allow
    where: [{arg: mode, in: [form]}]
    answer: [{arg: content.password, absent: true}]
`
  const asked = { server: 'docs', request: 'elicitation/create', params: { message: 'Who?' } }
  const LINES = [
    { server: 'docs', resource: 'file:///handbook/a.md' },
    { server: 'docs', resource: 'file:///handbook/../a.md' },
    { server: 'docs', prompt: 'summarize', arguments: { length: 'short' } },
    { ...asked, answer: { content: { password: 'hunter2' } } },
  ]
    .map((line) => JSON.stringify(line))
    .join('\n')

  test('are tested line by line', async () => {
    const { code, stdout, stderr } = await remit(
      ['policy', 'test', '--policy', bundle.write('r.yaml', RULES), '-'],
      {},
      LINES,
    )
    expect([code, stderr]).toEqual([4, ''])
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^LINE +EFFECT +RULE +CALL$/),
      expect.stringMatching(/^1 +Allow +handbook in payments\/docs +docs resource file:\/\/\/handbook\/a\.md$/),
      '       handbook allows the resource "file:///handbook/a.md" of docs.',
      expect.stringMatching(/^2 +Deny +- +docs resource file:\/\/\/handbook\/\.\.\/a\.md$/),
      '       Which resource "file:///handbook/../a.md" leads to is not certain: it has a dot segment.',
      expect.stringMatching(/^3 +Ask +summaries in payments\/docs +docs prompt summarize \{"length":"short"\}$/),
      '       summaries asks first. This call is waiting for the person on call.',
      expect.stringMatching(/^4 +Deny +forms in payments\/docs +docs asks elicitation\/create \{.*\} answered \{.*\}$/),
      '       content.password is given; forms allows calls without content.password.',
    ])
  })

  test('are explained', async () => {
    const file = bundle.write('r.yaml', RULES)
    const { stdout } = await remit(['policy', 'explain', '--policy', file, '-'], {}, LINES.split('\n')[0])
    expect(stdout).toContain('line 1: Allow  docs resource file:///handbook/a.md')
    expect(stdout).toContain('decided by  handbook in payments/docs (a rule about resources)')
    const json = await remit(['policy', 'explain', '--policy', file, '-o', 'json', '-'], {}, LINES)
    expect(
      lines(json.stdout).map(({ resource, prompt, request, type }) => [resource ?? prompt ?? request, type]),
    ).toEqual([
      ['file:///handbook/a.md', 'resource'],
      ['file:///handbook/../a.md', null],
      ['summarize', 'prompt'],
      ['elicitation/create', 'request'],
    ])
  })

  test('are linted', async () => {
    const file = bundle.write('r.yaml', RULES)
    const wider = bundle.write('wider.yaml', RULES.replace('file:///handbook/*', '*.md'))
    expect((await remit(['policy', 'lint', '--policy', file])).stdout).toBe('Nothing to say about this policy.\n')
    expect((await remit(['policy', 'lint', '--policy', wider])).stdout).toMatch(
      /^warning AnyScheme: AgentPolicy docs: /,
    )
    const never = bundle.write('never.yaml', RULES.replace('file:///handbook/*', 'file:///a/../b'))
    expect(await remit(['policy', 'lint', '--policy', never])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('can never match: it has a dot segment'),
    })
  })
})

/** A definition with what no schema of the protocol knows, and one that only 2026-07-28 has. */
const ECHO = {
  name: 'echo',
  inputSchema: { type: 'object' as const, properties: { message: { type: 'string', 'x-mcp-header': 'Message' } } },
  annotations: { readOnlyHint: true, 'x-vendor': 'kept' },
}
const NUMBERS = {
  name: 'numbers',
  inputSchema: { type: 'object' as const },
  outputSchema: { type: 'array', items: { type: 'integer' } },
}
const IMPOSSIBLE = { name: 'impossible', inputSchema: { type: 'object', 'x-mcp-header': 'Root' } }

describe('policy pin', () => {
  const world = createWorld()
  afterAll(() => world.close())

  test('writes what a server lists now: the reference server, and one that wants a credential', async () => {
    const everything = await startEverything(world)
    const billing = await startBilling(world)
    const token = bundle.write('token', `${TOKEN}\n`)
    const servers = ['--server', `everything=${everything}`, '--server', `billing=${billing.url}`]
    const { code, stdout } = await remit(['policy', 'pin', ...servers, '--credential', `billing=${token}`])
    expect(code).toBe(0)
    const { pins } = load(stdout) as {
      pins: { server: string; tool: string; digest: string; definition: { name: string } }[]
    }
    const named = pins.map(({ server, tool }) => `${server}/${tool}`)
    expect(named).toEqual(expect.arrayContaining(['everything/echo', 'billing/refund']))
    for (const { digest, tool, definition } of pins) {
      expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/)
      expect(definition.name).toBe(tool)
    }
    // What was pinned is a policy that can be enforced, under which the tools are as pinned.
    const spec = ['apiVersion: remit.dev/v1alpha1', 'kind: AgentPolicy', 'metadata: {name: pinned}', 'spec:']
    const rules = ['  tools: [{name: all, match: {tools: ["*"]}, effect: Allow}]']
    const file = bundle.write(
      'pins.yaml',
      [...spec, ...rules, ...stdout.split('\n').map((line) => `  ${line}`)].join('\n'),
    )
    const echo = JSON.stringify({ server: 'everything', tool: 'echo', arguments: { message: 'x' } })
    expect((await remit(['policy', 'test', '--policy', file, '-'], {}, echo)).code).toBe(0)
    const wrong = JSON.stringify({ server: 'everything', tool: 'echo', arguments: { message: 5 } })
    const denied = await remit(['policy', 'test', '--policy', file, '-o', 'json', '-'], {}, wrong)
    expect(lines(denied.stdout)[0]).toMatchObject({ effect: 'Deny', code: 'ArgumentsInvalid' })
  })

  const handler = (options?: { legacy: 'reject' }) => (opened: World) =>
    serveMcp(
      opened,
      toNodeHandler(
        createMcpHandler(() => {
          const server = new ModernServer({ name: 'numbers', version: '1' }, { capabilities: { tools: {} } })
          server.setRequestHandler('tools/list', ({ params }) =>
            params?.cursor === 'two' ? { tools: [NUMBERS] } : { tools: [ECHO], nextCursor: 'two' },
          )
          server.setRequestHandler('tools/call', ({ params }) => ({
            content: [{ type: 'text', text: String(params.arguments?.message) }],
          }))
          return server
        }, options),
      ),
    )
  const SERVERS: [what: string, start: (opened: World) => Promise<{ url: string }>, named: string[], told: unknown][] =
    [
      ['the reference server, with sessions', async (opened) => ({ url: await startEverything(opened) }), ['echo'], ''],
      ['a server of 2026-07-28 alone', handler({ legacy: 'reject' }), ['echo', 'numbers'], ''],
      ['a server of both', handler(), ['echo', 'numbers'], ''],
      [
        'a server of both that leaves out for older clients what they cannot read',
        async (opened) => {
          const listed = (tools: object[], more: object = {}) => ({ tools, ...more })
          const hints = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
          const raw = await startRawServer(
            ({ id, params }, response) => {
              const text = JSON.stringify(params?.arguments)
              answerWith(response, id, { resultType: 'complete', content: [{ type: 'text', text }] })
            },
            {
              'server/discover': ({ id }, response) =>
                answerWith(response, id, { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, ...hints }),
              'tools/list': ({ id }, response, { headers }) =>
                answerWith(
                  response,
                  id,
                  headers['mcp-protocol-version'] === '2026-07-28'
                    ? listed([ECHO, NUMBERS, IMPOSSIBLE], hints)
                    : listed([ECHO, { ...NUMBERS, outputSchema: undefined }]),
                ),
            },
          )
          opened.onClose(raw.close)
          return raw
        },
        ['echo', 'numbers'],
        expect.stringMatching(/^numbers\/impossible is left out: .+\n$/),
      ],
    ]
  test.each(SERVERS)(
    'what is pinned of %s is what agents of both eras get to see and may call',
    async (_, start, named, told) => {
      const opened = createWorld()
      try {
        const { url } = await start(opened)
        const { code, stdout, stderr } = await remit(['policy', 'pin', '--server', `numbers=${url}`, '-o', 'json'])
        expect([code, stderr]).toEqual([0, told])
        const { pins } = JSON.parse(stdout) as { pins: { tool: string; definition: object }[] }
        expect(pins.map(({ tool }) => tool)).toEqual(expect.arrayContaining(named))
        const metadata = { name: 'pinned', namespace: 'payments' }
        const spec = { tools: [{ name: 'all', match: { servers: ['numbers'] }, effect: 'Allow' }], pins }
        const pinned = JSON.stringify({ apiVersion: 'remit.dev/v1alpha1', kind: 'AgentPolicy', metadata, spec })
        const gate = await openGate(opened, { policy: pinned, servers: { numbers: url } })
        for (const mode of ['legacy', 'auto'] as const) {
          const client = new Client({ name: 'agent', version: '1' }, { versionNegotiation: { mode } })
          await client.connect(new StreamableHTTPClientTransport(new URL(`${gate.url}/mcp/numbers`)))
          opened.onClose(() => client.close())
          const seen = (await client.listTools()).tools.map(({ name }) => name)
          expect([mode, seen.sort()]).toEqual([mode, pins.map(({ tool }) => tool).sort()])
          const answer = await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
          expect([mode, textOf(answer)]).toEqual([mode, expect.stringContaining('hello')])
        }
      } finally {
        await opened.close()
      }
    },
  )

  test('a server that is not there, one that is not MCP, and one that does not let us in', async () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/401' ? 401 : 200
      response.end('hello')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    world.onClose(() => new Promise((resolve) => server.close(resolve)))
    const { port } = server.address() as AddressInfo
    const [closed] = await freePorts(1)
    const pin = (url: string) => remit(['policy', 'pin', '--server', `x=${url}`])
    expect(await pin(`http://127.0.0.1:${closed}/mcp`)).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('The server x cannot be reached: ECONNREFUSED.'),
    })
    expect(await pin(`http://127.0.0.1:${port}/`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('content type'),
    })
    expect(await pin(`http://127.0.0.1:${port}/401`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('HTTP 401'),
    })
  })

  test('what a reader would not see is told', async () => {
    const tools = {
      a: [
        { name: 'plain', description: 'Grüße\n' },
        { name: 'odd', description: 'Reads.\u200b\u202e' },
      ],
    }
    const listed = bundle.write('hidden.json', JSON.stringify(tools))
    const { code, stderr } = await remit(['policy', 'pin', '--tools', listed])
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^a\/odd has characters that cannot be seen, such as U\+200B: .+\n$/),
    ])
  })

  test('nothing to ask', async () => {
    expect(await remit(['policy', 'pin'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--server NAME=URL'),
    })
  })
})

describe('policy lint', () => {
  const odd = (constraint: string) =>
    `apiVersion: remit.dev/v1alpha1\nkind: AgentPolicy\nmetadata: {name: odd}\nspec:\n  tools:\n  - name: mail\n    match: {servers: [mail], tools: [send]}\n    effect: Allow\n    where: [${constraint}]\n`

  test('warns, and fails on warnings only when asked to', async () => {
    const file = bundle.write('odd.yaml', odd('{arg: to, suffix: corp.example}'))
    const { code, stdout } = await remit(['policy', 'lint', '--policy', file])
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^warning DomainSuffix: AgentPolicy odd: spec\.tools\[0\]\.where\[0\]\.suffix .+\n {4}\S.+\n$/,
      ),
    ])
    expect((await remit(['policy', 'lint', '--strict', '--policy', file])).code).toBe(1)
    const json = JSON.parse((await remit(['policy', 'lint', '--policy', file, '-o', 'json'])).stdout)
    expect(json).toMatchObject({ problems: [], warnings: [{ kind: 'DomainSuffix', object: 'AgentPolicy odd' }] })
  })

  test('fails on problems: of the file, of the policy, and by the tools of --tools', async () => {
    const file = bundle.write('odd.yaml', odd('{arg: to, min: "5"}'))
    const typed = { name: 'send', inputSchema: { type: 'object', properties: { to: { type: 'boolean' } } } }
    const tools = bundle.write('mail.json', JSON.stringify({ mail: [typed] }))
    expect((await remit(['policy', 'lint', '--policy', file])).code).toBe(0)
    const always = await remit(['policy', 'lint', '--policy', file, '--tools', tools])
    expect([always.code, always.stdout]).toEqual([
      1,
      expect.stringContaining('problem: AgentPolicy odd: spec.tools[0].where[0]'),
    ])
    const both = await remit([
      'policy',
      'lint',
      '--policy',
      bundle.write('wrong.yaml', odd('{arg: to, mim: "5"}')),
      'nowhere.yaml',
    ])
    expect(both.code).toBe(1)
    expect(both.stdout).toContain('nowhere.yaml: file cannot be read: ENOENT')
    expect(both.stdout).toContain('mim')
  })

  test('takes policies of the cluster by themselves, and says when there is nothing to say', async () => {
    const floor = bundle.write('floor.yaml', POLICY.split('---')[1] as string)
    expect(await remit(['policy', 'lint', '--policy', floor])).toEqual({
      code: 0,
      stdout: 'Nothing to say about this policy.\n',
      stderr: '',
    })
  })
})

import { mutate } from './mutate.ts'
import { type Random, random } from './random.ts'
import { args, type Lexeme, NAMES, ODD_KEYS, oddScalar, PLAIN, SECRET, scalar, value } from './values.ts'

export type ServerName = 'bank' | 'mail' | 'files'
export interface FuzzRequest {
  kind: string
  server: string
  body: Buffer
  /** Besides those of a well-behaved agent; a header of undefined is left out. */
  headers: Record<string, string | undefined>
}

const CALLS: readonly (readonly [weight: number, server: ServerName, tool: string, names: readonly string[]])[] = [
  [3, 'bank', 'get_invoice', ['invoice_id']],
  [2, 'bank', 'list_invoices', []],
  [6, 'bank', 'refund', ['amount', 'currency', 'memo', 'invoice_id']],
  [2, 'bank', 'transfer', ['amount', 'iban']],
  [1, 'bank', 'delete_all', []],
  [0.2, 'mail', 'read_inbox', []],
  [3, 'mail', 'send', ['to', 'memo']],
  [1, 'mail', 'draft', ['to', 'memo']],
  [2, 'files', 'put', ['account', 'fields', 'host']],
  [1, 'files', 'update', ['account', 'memo']],
  [1, 'files', 'connect', ['host']],
  [0.5, 'files', 'drifted', ['deep']],
  [0.5, 'files', 'unknown', ['deep']],
]
const ODD_TOOLS = [
  'Refund',
  'refund ',
  'réfund',
  'get_invoice\u200b',
  'get_*',
  '../refund',
  'x'.repeat(257),
  '',
  'a/b',
  '__proto__',
]
const ODD_IDS: Lexeme[] = [
  'null',
  '1.5',
  '1e400',
  '{}',
  '[]',
  'true',
  '""',
  '-0',
  `"${'x'.repeat(300)}"`,
  '9007199254740993',
  '"1"',
]
const METHODS = [
  'ping',
  'tools/list',
  'initialize',
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'tasks/get',
  'tasks/result',
  'tasks/cancel',
  'tasks/update',
  'subscriptions/listen',
  'server/discover',
  'sampling/createMessage',
  'TOOLS/CALL',
  'tools/call ',
  '',
  'logging/setLevel',
]
const ODD_HEADERS: Record<string, string | undefined>[] = [
  { 'content-type': undefined },
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/json; charset=utf-16' },
  { accept: undefined },
  { accept: 'application/json' },
  { 'mcp-session-id': undefined },
  { 'mcp-session-id': 'x' },
  { 'mcp-protocol-version': '1999-01-01' },
  { 'mcp-protocol-version': undefined },
  { 'content-encoding': 'gzip' },
  { origin: 'https://evil.example' },
  { host: 'evil.example' },
  { 'x-http-method-override': 'DELETE', 'mcp-method': 'tools/list', 'mcp-name': 'get_invoice' },
  { traceparent: '00-00000000000000000000000000000000-0000000000000000-01' },
  { baggage: 'a=b', tracestate: 'x='.repeat(400) },
  { 'last-event-id': '1', connection: 'close' },
]

interface Parts {
  id: Lexeme
  method: Lexeme
  name: Lexeme
  arguments: Lexeme
  meta: Lexeme | undefined
}
const write = ({ id, method, name, arguments: given, meta }: Parts, more = '', within = ''): string =>
  `{"jsonrpc":"2.0","id":${id},"method":${method},"params":{"name":${name},"arguments":${given}${meta === undefined ? '' : `,"_meta":${meta}`}${within}}${more}}`

const anyCall = (choose: Random, index: number, odd: number): Parts & { server: ServerName } => {
  const [server, tool, names] = choose.weighted(CALLS.map(([weight, ...call]) => [weight, () => call] as const))
  return {
    server,
    id: choose.chance(0.9) ? String(index + 1) : `"call-${index}"`,
    method: '"tools/call"',
    name: JSON.stringify(tool),
    arguments: args(choose, index, odd, names),
    meta: choose.chance(0.1) ? `{"dev.remit/task":"T-${index}","progressToken":${index}}` : undefined,
  }
}

const MODERN = '2026-07-28'
const MODERN_META = `"io.modelcontextprotocol/protocolVersion":"${MODERN}","io.modelcontextprotocol/clientCapabilities":{}`
/** Of the requests, so many are of the revision without sessions. */
const MODERN_SHARE = 0.3
/** The same call as a request of 2026-07-28, and the headers it has to have. */
const asModern = <P extends Parts>(call: P): P => ({
  ...call,
  meta: `{${MODERN_META}${call.meta === undefined ? '' : `,${call.meta.slice(1, -1)}`}}`,
})
const headersOf = ({ name }: Parts) => ({
  'mcp-protocol-version': MODERN,
  'mcp-method': 'tools/call',
  'mcp-name': JSON.parse(name) as string,
  'mcp-session-id': undefined,
})

/** Request number `index` of a seed. */
export const request = (seed: number, index: number): FuzzRequest => {
  const isModern = random(seed + 1, index).chance(MODERN_SHARE)
  const choose = random(seed, index)
  const given = anyCall(choose, index, 0)
  const call = isModern ? asModern(given) : given
  const { server } = call
  const usual = isModern ? headersOf(call) : {}
  const plain = (text: string): string => text.replaceAll(SECRET, PLAIN)
  const made = (kind: string, body: string | Buffer, more: Partial<FuzzRequest> = {}): FuzzRequest => ({
    kind,
    server,
    body: typeof body === 'string' ? Buffer.from(kind === 'call' ? body : plain(body)) : body,
    ...more,
    headers: { ...usual, ...more.headers },
  })
  return choose.weighted<FuzzRequest>([
    [55, () => made('call', write(call))],
    [
      10,
      () => {
        const odd = anyCall(choose, index, 0.15)
        const same = isModern ? asModern(odd) : odd
        return made('odd values', write(same), { server: odd.server, headers: isModern ? headersOf(odd) : {} })
      },
    ],
    [13, () => made('bytes', mutate(choose, Buffer.from(plain(write(call)))))],
    [5, () => made('twice', twice(choose, call))],
    [3, () => made('odd tool', write({ ...call, name: JSON.stringify(choose.pick(ODD_TOOLS)) }))],
    [3, () => made('odd id', write({ ...call, id: choose.pick(ODD_IDS) }))],
    [3, () => made('odd headers', write(call), { headers: choose.pick(ODD_HEADERS) })],
    [1, () => made('odd server', write(call), { server: choose.pick(['none', 'BANK', 'bank%2f', 'bank/..', 'mail']) })],
    [2, () => made('method', write({ ...call, method: JSON.stringify(choose.pick(METHODS)) }))],
    [2, () => made('not a message', notAMessage(choose, call))],
    [
      1,
      () =>
        made(
          'params',
          write(call, '', `,${choose.pick(['"task":{}', '"cursor":1', '"requestId":1', '"_meta":5', '"x":1e400'])}`),
        ),
    ],
    [1, () => made('large', write({ ...call, arguments: large(choose) }))],
  ])
}

/** A member once more: as it is, in another case, escaped, beside or inside. */
const twice = (choose: Random, call: Parts): string => {
  const name = choose.pick(NAMES)
  const again = choose.pick([name, name.toUpperCase(), `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`])
  return choose.weighted<string>([
    [4, () => write({ ...call, arguments: `{"${name}":${scalar(choose)},"${again}":${scalar(choose)}}` })],
    [2, () => write(call, '', `,"arguments":{"amount":1}`)],
    [1, () => write(call, '', `,"Arguments":{"amount":1}`)],
    [1, () => write(call, '', ',"name":"get_invoice"')],
    [1, () => write(call, ',"method":"ping"')],
    [1, () => write(call, ',"params":{"name":"get_invoice"}')],
    [1, () => write(call, ',"ID":7')],
    [1, () => write({ ...call, arguments: `{"deep":{"x":1,"x":2}}` })],
  ])
}

const notAMessage = (choose: Random, call: Parts): string =>
  choose.weighted<string>([
    [2, () => `[${write(call)},${write(call)}]`],
    [1, () => '[]'],
    [1, () => ''],
    [1, () => scalar(choose)],
    [1, () => oddScalar(choose)],
    [1, () => `${write(call)}${write(call)}`],
    [1, () => `${write(call)}\n//`],
    [1, () => `{"jsonrpc":"2.0","id":${call.id},"result":{}}`],
    [1, () => `{"jsonrpc":"1.0","id":${call.id},"method":"tools/call","params":{"name":${call.name}}}`],
    [1, () => `{"jsonrpc":"2.0","method":"tools/call","params":{"name":${call.name}}}`],
    [1, () => `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${call.id}}}`],
    [1, () => write({ ...call, arguments: value(choose, 0.1) })],
  ])

const large = (choose: Random): Lexeme =>
  choose.weighted<Lexeme>([
    [4, () => `{"memo":"${'x'.repeat(choose.below(200_000))}"}`],
    [1, () => `{"to":[${Array.from({ length: choose.below(3_000) }, () => '"ana@corp.example"').join(',')}]}`],
    [1, () => `{${Array.from({ length: choose.below(2_000) }, (_, at) => `"k${at}":${at}`).join(',')}}`],
    [1, () => `{"memo":"${'a'.repeat(choose.below(60_000))}!"}`],
    [1, () => `{"${choose.pick(ODD_KEYS)}":${'['.repeat(30)}${Array(500).fill('0').join(',')}${']'.repeat(30)}}`],
  ])

/** The words of the Model Context Protocol itself, of its revisions from 2024-11-05 to 2026-07-28. */

/** The revision without sessions: each request says all that has to be known of it. */
export const MODERN_VERSION = '2026-07-28'
/** The revisions with sessions, newest first. */
export const LEGACY_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const

export type RequestId = string | number

/** Codes of errors: those of JSON-RPC, two that the official SDKs use for transport and session, and MCP's own. */
export const RPC = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  transport: -32000,
  session: -32001,
  /** Before 2026-07-28, which has `invalidParams` for it. */
  resourceNotFound: -32002,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
  /** Of 2025-11-25 alone; 2026-07-28 asks for URLs as for any input. */
  urlElicitationRequired: -32042,
} as const

/** The status of HTTP that an error of 2026-07-28 comes with; all others come with 200. */
export const HTTP_STATUS: Readonly<Record<number, number>> = {
  [RPC.methodNotFound]: 404,
  [RPC.headerMismatch]: 400,
  [RPC.missingCapability]: 400,
  [RPC.unsupportedVersion]: 400,
}

/** Keys of `_meta` by which 2026-07-28 says with each message what a session said once. */
export const META = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const
/** Key of `_meta` by which a message of 2025-11-25 belongs to a task. */
export const RELATED_TASK = 'io.modelcontextprotocol/related-task'
/** The extension by which a server of 2026-07-28 answers a call with a task. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'

/** Headers of Streamable HTTP, as Node names them. */
export const HEADER = {
  version: 'mcp-protocol-version',
  session: 'mcp-session-id',
  method: 'mcp-method',
  name: 'mcp-name',
  /** Followed by the name that a tool's schema gives it. */
  param: 'mcp-param-',
} as const

/** How grave a log message is, least first. */
export const LOGGING_LEVELS: readonly string[] = 'debug info notice warning error critical alert emergency'.split(' ')

/** Requests whose results say in 2026-07-28 for how long they may be kept. */
export const CACHEABLE: ReadonlySet<string> = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
])
/** What a server may ask its client, by the capability with which a client says that it can be asked. */
export const ASKABLE: Readonly<Record<string, string>> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
}
/** Requests that a server of 2026-07-28 may answer by asking for something first. */
export const MAY_ASK: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

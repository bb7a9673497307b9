import { PROTOCOL_VERSIONS } from './messages.ts'

/** The revision without sessions. */
export const MODERN_VERSION = '2026-07-28'
/** All revisions the gate speaks, newest first. */
export const ALL_VERSIONS = [MODERN_VERSION, ...PROTOCOL_VERSIONS] as const

/** Keys of `_meta` that every request of the modern revision carries, and its answers. */
export const META = {
  version: 'io.modelcontextprotocol/protocolVersion',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  client: 'io.modelcontextprotocol/clientInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
  server: 'io.modelcontextprotocol/serverInfo',
  subscription: 'io.modelcontextprotocol/subscriptionId',
} as const

/** Error codes the modern revision gives a meaning. */
export const MODERN_CODES = {
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const

/** What all `notifications/message` of one level and above are. */
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']
export const isLogLevel = (level: unknown): level is string => LEVELS.includes(level as string)
/** Whether a message of this level is to be told to who asked for messages from `wanted` on. */
export const reaches = (level: unknown, wanted: string): boolean =>
  LEVELS.indexOf(level as string) >= LEVELS.indexOf(wanted)

/** Methods whose answers say how long they may be kept. */
export const CACHEABLE = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
])
/** Requests that a server may answer by asking for something first. */
export const MAY_ASK = new Set(['tools/call', 'prompts/get', 'resources/read'])

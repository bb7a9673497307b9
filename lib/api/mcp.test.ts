import { expect, test } from 'vitest'
import {
  ASKABLE,
  CACHEABLE,
  HEADER,
  HTTP_STATUS,
  LEGACY_VERSIONS,
  LOGGING_LEVELS,
  MAY_ASK,
  META,
  MODERN_VERSION,
  RELATED_TASK,
  RPC,
  TASKS_EXTENSION,
} from './mcp.ts'

test.each<[string, unknown, unknown]>([
  [
    'versions',
    [MODERN_VERSION, ...LEGACY_VERSIONS],
    ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
  ],
  [
    'error codes',
    Object.entries(RPC).map(([name, code]) => `${name} ${code}`),
    [
      'parse -32700',
      'invalidRequest -32600',
      'methodNotFound -32601',
      'invalidParams -32602',
      'internal -32603',
      'transport -32000',
      'session -32001',
      'resourceNotFound -32002',
      'headerMismatch -32020',
      'missingCapability -32021',
      'unsupportedVersion -32022',
      'urlElicitationRequired -32042',
    ],
  ],
  ['statuses', HTTP_STATUS, { '-32601': 404, '-32020': 400, '-32021': 400, '-32022': 400 }],
  [
    'keys of _meta',
    [...Object.values(META), RELATED_TASK],
    [
      'io.modelcontextprotocol/protocolVersion',
      'io.modelcontextprotocol/clientInfo',
      'io.modelcontextprotocol/clientCapabilities',
      'io.modelcontextprotocol/logLevel',
      'io.modelcontextprotocol/serverInfo',
      'io.modelcontextprotocol/subscriptionId',
      'io.modelcontextprotocol/related-task',
    ],
  ],
  ['extensions', TASKS_EXTENSION, 'io.modelcontextprotocol/tasks'],
  [
    'headers',
    Object.values(HEADER),
    ['mcp-protocol-version', 'mcp-session-id', 'mcp-method', 'mcp-name', 'mcp-param-'],
  ],
  ['levels', LOGGING_LEVELS.join(' '), 'debug info notice warning error critical alert emergency'],
  [
    'methods that may be kept',
    [...CACHEABLE].join(' '),
    'server/discover tools/list prompts/list resources/list resources/templates/list resources/read',
  ],
  [
    'what may be asked',
    ASKABLE,
    { 'elicitation/create': 'elicitation', 'sampling/createMessage': 'sampling', 'roots/list': 'roots' },
  ],
  ['methods that may ask', [...MAY_ASK].join(' '), 'tools/call prompts/get resources/read'],
])('%s are those of the specification', (_what, ours, theirs) => expect(ours).toEqual(theirs))

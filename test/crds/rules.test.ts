import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RemitKind } from '../../lib/api/validate.ts'
import { ApiError } from '../../lib/kube/errors.ts'
import { type Apiserver, startApiserver } from '../harness/apiserver.ts'
import { createNamespace } from '../harness/world.ts'
import { spoil, valid } from './objects.ts'

const PLURALS: Record<RemitKind, string> = {
  AgentIdentity: 'agentidentities',
  AgentPolicy: 'agentpolicies',
  ClusterAgentPolicy: 'clusteragentpolicies',
  OwnerGroup: 'ownergroups',
  AgentRemit: 'agentremits',
}
const long = (length: number) => 'x'.repeat(length)
const constraint = (value: object) => ({
  path: ['spec', 'tools', 1, 'where', 0],
  value: { arg: 'amount', ...value },
})

/** What is spoiled in a valid object, and what a person must then read: the field first, then the fix. */
const refused: { kind: RemitKind; path: (string | number)[]; value: unknown; says: string[] }[] = [
  // who the agent is
  { kind: 'AgentIdentity', path: ['metadata', 'name'], value: long(53), says: [long(53), 'at most 52'] },
  {
    kind: 'AgentIdentity',
    path: ['metadata', 'name'],
    value: 'billing.bot',
    says: ['billing.bot', 'such as billing-bot'],
  },
  { kind: 'AgentIdentity', path: ['spec'], value: undefined, says: ['spec: Required value'] },
  { kind: 'AgentIdentity', path: ['spec', 'createdBy'], value: undefined, says: ['spec.createdBy: Required value'] },
  { kind: 'AgentIdentity', path: ['spec', 'ownerRef'], value: undefined, says: ['spec.ownerRef: Required value'] },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'ownerRef', 'name'],
    value: 'Billing Team',
    says: ['spec.ownerRef.name', 'Billing Team', 'metadata.name'],
  },
  { kind: 'AgentIdentity', path: ['spec', 'policyRefs'], value: [], says: ['spec.policyRefs', 'at least 1'] },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'policyRefs'],
    value: [{ name: 'a' }, { name: 'a' }],
    says: ['spec.policyRefs[1]', 'Duplicate'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'expiresAt'],
    value: 'tomorrow',
    says: ['spec.expiresAt', 'tomorrow', 'date-time'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'runbook'],
    value: 'wiki',
    says: ['spec.runbook', '"wiki"', 'such as https://'],
  },
  // where it may go
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 0, 'url'],
    value: 'http://192.0.2.1/',
    says: ['spec.servers[0]', 'billing', 'exactly one of service', 'both'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 0, 'service'],
    value: undefined,
    says: ['spec.servers[0]', 'exactly one of service', 'neither'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 1, 'address'],
    value: undefined,
    says: ['spec.servers[1].url', 'mail.corp.example', 'no DNS', 'address'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 1],
    value: { name: 'mail', url: 'http://192.0.2.999/' },
    says: ['spec.servers[1].url', 'no DNS'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 1],
    value: { name: 'mail', url: 'http://192.0.2.9.corp.example/' },
    says: ['spec.servers[1].url', 'no DNS'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 1, 'address'],
    value: '192.0.2.10:443',
    says: ['spec.servers[1].address', '192.0.2.10:443', 'without port'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 0, 'address'],
    value: '192.0.2.10',
    says: ['spec.servers[0].address', 'remove it'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 1, 'url'],
    value: 'https://user:secret@mail.corp.example/mcp',
    says: ['spec.servers[1].url', 'without user'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 1, 'url'],
    value: 'ftp://mail.corp.example',
    says: ['spec.servers[1].url', 'ftp://mail', 'http or https'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 1, 'name'],
    value: 'Mail',
    says: ['spec.servers[1].name', '"Mail"', 'such as billing'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 1, 'name'],
    value: 'billing',
    says: ['spec.servers[1]', 'Duplicate value'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 1, 'transport'],
    value: 'SSE',
    says: ['spec.servers[1].transport', 'SSE', 'StreamableHTTP'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 0, 'credentialHeader'],
    value: 'Host',
    says: ['spec.servers[0].credentialHeader', 'Host', 'Authorization'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 0, 'credentialHeader'],
    value: 'Mcp-Session-Id',
    says: ['spec.servers[0].credentialHeader', 'x-api-key'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 1, 'credentialHeader'],
    value: 'x-api-key',
    says: ['spec.servers[1].credentialHeader', 'remove it'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'servers', 0, 'service', 'path'],
    value: 'mcp',
    says: ['spec.servers[0].service.path', '"mcp"', 'such as /mcp'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'models', 0, 'url'],
    value: 'https://api.model.example/v1',
    says: ['spec.models[0].url', 'api.model.example', 'no DNS'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'models', 0, 'api'],
    value: 'Other',
    says: ['spec.models[0].api', 'OpenAI', 'Anthropic'],
  },
  // what it runs
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'image'],
    value: 'a b',
    says: ['spec.workload.image', 'no spaces'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'runAsUser'],
    value: 0,
    says: ['spec.workload.runAsUser', 'greater than or equal to 1'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'env', 0, 'name'],
    value: 'REMIT_LEDGER',
    says: ['spec.workload.env[0].name', 'REMIT_LEDGER', 'another name'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'env', 0, 'name'],
    value: '1A',
    says: ['spec.workload.env[0].name', '"1A"', 'LOG_LEVEL'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'env', 1, 'value'],
    value: 'x',
    says: ['spec.workload.env[1]', 'only one of value and valueFrom'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'env', 1, 'valueFrom'],
    value: {},
    says: ['spec.workload.env[1].valueFrom', 'exactly one of', 'credentialRef'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'env', 1, 'valueFrom'],
    value: { secretKeyRef: { name: 's', key: 'k' } },
    says: ['secretKeyRef'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'volumes', 0],
    value: { name: 'work' },
    says: ['spec.workload.volumes[0]', 'exactly one of emptyDir'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'volumes', 0, 'configMap'],
    value: { name: 'c' },
    says: ['spec.workload.volumes[0]', 'exactly one of emptyDir'],
  },
  ...['secret', 'hostPath', 'projected', 'csi', 'downwardAPI', 'nfs'].map((source) => ({
    kind: 'AgentIdentity' as const,
    path: ['spec', 'workload', 'volumes', 0],
    value: { name: 'work', [source]: {} },
    says: [source],
  })),
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'volumes', 0, 'name'],
    value: 'remit-token',
    says: ['spec.workload.volumes[0].name', 'remit-token', 'another name'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'volumeMounts', 0, 'name'],
    value: 'remit-token',
    says: ['spec.workload.volumeMounts', 'one of volumes'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'volumeMounts', 0, 'mountPath'],
    value: 'work',
    says: ['spec.workload.volumeMounts[0].mountPath', '"work"', 'such as /work'],
  },
  {
    kind: 'AgentIdentity',
    path: ['spec', 'workload', 'resources', 'limits', 'memory'],
    value: 'lots',
    says: ['spec.workload.resources.limits.memory', 'lots'],
  },
  // policies
  { kind: 'AgentPolicy', path: ['spec', 'mode'], value: 'Audit', says: ['spec.mode', 'Audit', 'Enforce', 'Observe'] },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'tools', 0, 'name'],
    value: 'Read All',
    says: ['spec.tools[0].name', 'Read All', 'such as small-refunds'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'tools', 1, 'name'],
    value: 'read',
    says: ['spec.tools[1]', 'Duplicate value', 'read'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'tools', 0, 'match'],
    value: {},
    says: ['spec.tools[0].match', 'tools: ["*"]'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'tools', 0, 'match', 'tools'],
    value: [],
    says: ['spec.tools[0].match.tools', 'at least 1'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'tools', 0, 'match', 'tools', 0],
    value: 'get ?',
    says: ['spec.tools[0].match.tools[0]', 'get ?', 'only * is a wildcard'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'tools', 0, 'match', 'servers', 0],
    value: 'Billing',
    says: ['spec.tools[0].match.servers[0]', 'Billing', 'lower-case'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'tools', 0, 'effect'],
    value: 'Permit',
    says: ['spec.tools[0].effect', 'Permit', 'Allow', 'Ask', 'Deny'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'tools', 1, 'effect'],
    value: 'Deny',
    says: ['spec.tools[1]', 'otherwise, limits, evidence', 'remove them'],
  },
  { kind: 'AgentPolicy', path: ['spec', 'tools', 1, 'where'], value: [], says: ['spec.tools[1].where', 'at least 1'] },
  {
    kind: 'AgentPolicy',
    ...constraint({ max: '5', not: { min: '3' } }),
    says: ['spec.tools[1].where[0].not', 'write two constraints'],
  },
  {
    kind: 'AgentPolicy',
    ...constraint({ not: { prefix: 'a', suffix: 'b' } }),
    says: ['spec.tools[1].where[0].not', 'one constraint for each'],
  },
  { kind: 'AgentPolicy', ...constraint({ not: { not: { max: '5' } } }), says: ['spec.tools[1].where[0].not.not'] },
  {
    kind: 'AgentPolicy',
    ...constraint({ max: '1e9' }),
    says: ['spec.tools[1].where[0].max', '1e9', 'such as "50.00"'],
  },
  { kind: 'AgentPolicy', ...constraint({ max: 50 }), says: ['spec.tools[1].where[0].max', 'must be of type string'] },
  { kind: 'AgentPolicy', ...constraint({ required: false }), says: ['spec.tools[1].where[0].required', 'true'] },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'tools', 1, 'where', 0],
    value: { max: '5' },
    says: ['spec.tools[1].where[0].arg', 'such as arg: amount'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'resources', 0, 'match'],
    value: {},
    says: ['spec.resources[0].match', 'name servers or uris', 'file:///handbook/*'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'resources', 0, 'match', 'uris', 0],
    value: 'file:///my files/*',
    says: ['spec.resources[0].match.uris[0]', 'file:///my files/*', 'only * is a wildcard'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'resources', 0, 'match', 'uris', 0],
    value: 'file:///a#b',
    says: ['spec.resources[0].match.uris[0]', 'no fragments'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'resources', 0, 'match', 'tools'],
    value: ['*'],
    says: ['unknown field "spec.resources[0].match.tools"'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'resources', 0, 'effect'],
    value: undefined,
    says: ['spec.resources[0].effect: Required value'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'resources', 0, 'effect'],
    value: 'Draft',
    says: ['spec.resources[0].effect', '"Allow", "Ask", "Deny"'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'prompts', 0, 'match'],
    value: {},
    says: ['spec.prompts[0].match', 'name servers or prompts'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'prompts', 0, 'match', 'prompts', 0],
    value: 'sum up',
    says: ['spec.prompts[0].match.prompts[0]', 'sum up', 'only * is a wildcard'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'requests', 0, 'match'],
    value: {},
    says: ['spec.requests[0].match', 'name servers or methods'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'requests', 0, 'match', 'methods', 0],
    value: 'tools/call',
    says: ['spec.requests[0].match.methods[0]', 'sampling/createMessage'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'requests', 0, 'effect'],
    value: 'Ask',
    says: ['spec.requests[0].effect', '"Allow", "Deny"'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'requests', 0, 'effect'],
    value: 'Deny',
    says: ['spec.requests[0].answer', 'answer has no meaning in a rule with effect Deny'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'guards', 0, 'match'],
    value: {},
    says: ['spec.guards[0].match', 'name servers or tools'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'invariants', 0, 'name'],
    value: undefined,
    says: ['spec.invariants[0].name: Required value'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'egress', 'cidrs', 0, 'cidr'],
    value: '192.0.2.1',
    says: ['spec.egress.cidrs[0].cidr', '192.0.2.1', 'such as 10.20.0.0/16'],
  },
  {
    kind: 'AgentPolicy',
    path: ['spec', 'egress', 'cidrs', 0, 'ports', 0],
    value: 70000,
    says: ['spec.egress.cidrs[0].ports[0]', '65535'],
  },
  // what the language has besides
  ...(
    [
      [
        ['tools', 0],
        { name: 'r', match: { tools: ['x'] } },
        'spec.tools[0].effect',
        'effect: Allow, Draft, Ask or Deny',
      ],
      [['tools', 0, 'class'], 'Harmless', 'spec.tools[0].class', 'Harmless', 'SideEffect'],
      [['tools', 2, 'match', 'classes'], ['Wirte'], 'spec.tools[2].match.classes[0]', 'Wirte', 'Write'],
      [['tools', 2, 'match', 'classes'], [], 'spec.tools[2].match.classes', 'at least 1'],
      [['tools', 2, 'match', 'classes'], ['Read', 'Read'], 'spec.tools[2].match.classes[1]', 'Duplicate'],
      [['tools', 2, 'effect'], 'Deny', 'spec.tools[2]', 'remove them'],
      [['tools', 1, 'otherwise'], 'Allow', 'spec.tools[1].otherwise', 'Allow', 'Draft'],
      [['tools', 2, 'fields'], [], 'spec.tools[2].fields', 'at least 1'],
      [['tools', 2, 'fields'], ['a', 'a'], 'spec.tools[2].fields[1]', 'Duplicate'],
      [['tools', 2, 'object', 'read'], undefined, 'spec.tools[2].object.read', 'Required'],
      [['tools', 2, 'object', 'where'], [], 'spec.tools[2].object.where', 'at least 1'],
      [
        ['tools', 2, 'where', 5],
        { cel: 'true', max: '5', arg: 'a' },
        'spec.tools[2].where[5].cel',
        'another constraint',
      ],
      [['tools', 2, 'where', 0], { cidr: '10.0.0.0/8' }, 'spec.tools[2].where[0].arg', 'such as arg: amount'],
      [['tools', 2, 'where', 6], { not: { cidr: '::/0' } }, 'spec.tools[2].where[6].arg', 'such as arg: amount'],
      [['tools', 2, 'where', 0, 'cidr'], 10, 'spec.tools[2].where[0].cidr', 'type string'],
      [['tools', 2, 'where', 1, 'pattern'], '', 'spec.tools[2].where[1].pattern', 'at least 1'],
      [['tools', 2, 'where', 2, 'subsetOf'], [], 'spec.tools[2].where[2].subsetOf', 'at least 1'],
      [['tools', 2, 'where', 2, 'minItems'], -1, 'spec.tools[2].where[2].minItems', 'greater than or equal to 0'],
      [['tools', 2, 'where', 4, 'absent'], false, 'spec.tools[2].where[4].absent', 'true'],
      [
        ['tools', 2, 'where', 7, 'not'],
        { cidr: '::/0', absent: true },
        'spec.tools[2].where[7].not',
        'one constraint for each',
      ],
      [['tools', 2, 'where', 7, 'not'], { optional: true }, 'spec.tools[2].where[7].not.optional'],
      [['tools', 1, 'limits'], [], 'spec.tools[1].limits', 'at least 1'],
      [['tools', 1, 'limits', 0], { per: '24h' }, 'spec.tools[1].limits[0]', 'exactly one of calls'],
      [['tools', 1, 'limits', 0, 'concurrent'], 1, 'spec.tools[1].limits[0]', 'exactly one of calls'],
      [['tools', 1, 'limits', 0, 'per'], undefined, 'spec.tools[1].limits[0].per', 'such as 24h'],
      [['tools', 1, 'limits', 3, 'per'], '1m', 'spec.tools[1].limits[3].per', 'unless it is concurrent'],
      [['tools', 1, 'limits', 0, 'max'], '5', 'spec.tools[1].limits[0].max', 'belongs to sum and distinct'],
      [['tools', 1, 'limits', 1, 'max'], undefined, 'spec.tools[1].limits[1].max', 'they need it'],
      [['tools', 1, 'limits', 1, 'max'], '5e2', 'spec.tools[1].limits[1].max', '5e2', 'such as "50.00"'],
      [['tools', 1, 'limits', 0, 'per'], '24 hours', 'spec.tools[1].limits[0].per', '24 hours', 'such as 10m'],
      [['tools', 1, 'limits', 0, 'calls'], -1, 'spec.tools[1].limits[0].calls', 'greater than or equal to 0'],
      [['tools', 1, 'limits', 3, 'concurrent'], 0, 'spec.tools[1].limits[3].concurrent', 'greater than or equal to 1'],
      [['tools', 1, 'limits', 0, 'scope'], 'Cluster', 'spec.tools[1].limits[0].scope', 'Cluster', 'Policy'],
      [['tools', 1, 'evidence', 0, 'tool'], undefined, 'spec.tools[1].evidence[0].tool', 'Required'],
      [['tools', 1, 'evidence', 0, 'within'], '-10m', 'spec.tools[1].evidence[0].within', '-10m', 'such as 10m'],
      [['taint', 0, 'after'], undefined, 'spec.taint[0].after', 'Required'],
      [['taint', 0, 'after'], {}, 'spec.taint[0].after', 'name servers or tools'],
      [['taint', 0, 'for'], 'forever', 'spec.taint[0].for', 'forever', 'such as 10m'],
      [['pins', 0, 'digest'], 'sha256:abc', 'spec.pins[0].digest', '64 hex digits'],
      [['pins', 0, 'tool'], undefined, 'spec.pins[0].tool', 'Required'],
      [['redact', 0], { match: { tools: ['x'] } }, 'spec.redact[0]', 'list arguments or results'],
      [['redact', 0, 'arguments'], [], 'spec.redact[0].arguments', 'at least 1'],
      [['breaker'], {}, 'spec.breaker', 'never opens'],
      [['breaker'], { calls: 5 }, 'spec.breaker', 'belong together'],
      [['breaker'], { errors: 1, per: '1m' }, 'spec.breaker', 'belong together'],
      [['breaker', 'errors'], 0, 'spec.breaker.errors', 'greater than or equal to 1'],
      [['readOnly'], 'yes', 'spec.readOnly', 'boolean'],
      [['egress', 'hosts', 0], '', 'spec.egress.hosts[0]', 'at least 1'],
    ] as [(string | number)[], unknown, ...string[]][]
  ).map(([path, value, ...says]) => ({ kind: 'AgentPolicy' as const, path: ['spec', ...path], value, says })),
  {
    kind: 'ClusterAgentPolicy',
    path: ['spec', 'invariants', 0, 'match'],
    value: {},
    says: ['spec.invariants[0].match', 'name servers or tools'],
  },
  // owner groups
  { kind: 'OwnerGroup', path: ['spec', 'members'], value: [], says: ['spec.members', 'at least 1'] },
  {
    kind: 'OwnerGroup',
    path: ['spec', 'members', 1, 'name'],
    value: 'ana',
    says: ['spec.members[1]', 'Duplicate value'],
  },
  {
    kind: 'OwnerGroup',
    path: ['spec', 'members', 1, 'name'],
    value: 'Bo Doe',
    says: ['spec.members[1].name', 'Bo Doe', 'such as ana'],
  },
  { kind: 'OwnerGroup', path: ['spec', 'onCall'], value: {}, says: ['spec.onCall', 'exactly one of owner'] },
  {
    kind: 'OwnerGroup',
    path: ['spec', 'onCall', 'owner'],
    value: 'ana',
    says: ['spec.onCall', 'exactly one of owner'],
  },
  {
    kind: 'OwnerGroup',
    path: ['spec', 'onCall'],
    value: { owner: 'eve' },
    says: ['spec.onCall.owner', '"eve" is not a member', 'spec.members'],
  },
  {
    kind: 'OwnerGroup',
    path: ['spec', 'onCall', 'rotation', 'order', 1, 0],
    value: 'eve',
    says: ['spec.onCall.rotation.order', 'spec.members'],
  },
  {
    kind: 'OwnerGroup',
    path: ['spec', 'onCall', 'rotation', 'order'],
    value: [],
    says: ['spec.onCall.rotation.order', 'at least 1'],
  },
  {
    kind: 'OwnerGroup',
    path: ['spec', 'onCall', 'rotation', 'start'],
    value: '2026-10-05T09:00Z',
    says: ['spec.onCall.rotation.start', '2026-10-05T09:00Z', 'without offset'],
  },
  {
    kind: 'OwnerGroup',
    path: ['spec', 'onCall', 'rotation', 'timeZone'],
    value: '+02:00',
    says: ['spec.onCall.rotation.timeZone', '+02:00', 'Europe/Berlin'],
  },
  {
    kind: 'OwnerGroup',
    path: ['spec', 'onCall', 'rotation', 'every', 'unit'],
    value: 'Month',
    says: ['spec.onCall.rotation.every.unit', 'Month', 'Week'],
  },
  {
    kind: 'OwnerGroup',
    path: ['spec', 'onCall', 'rotation', 'every', 'count'],
    value: 0,
    says: ['spec.onCall.rotation.every.count', 'greater than or equal to 1'],
  },
  { kind: 'OwnerGroup', path: ['spec', 'fallback'], value: ['eve'], says: ['spec.fallback', '"eve" is not a member'] },
  {
    kind: 'OwnerGroup',
    path: ['spec', 'onCall'],
    value: { ical: { url: 'https://cal.corp.example' } },
    says: ['spec.onCall.ical', 'use owner or rotation'],
  },
  {
    kind: 'OwnerGroup',
    path: ['spec', 'onCall'],
    value: { pagerDuty: { scheduleID: 'P1' } },
    says: ['spec.onCall.pagerDuty', 'use owner or rotation'],
  },
  { kind: 'OwnerGroup', path: ['spec', 'overrides'], value: [], says: ['spec.overrides', 'remove them'] },
  { kind: 'OwnerGroup', path: ['spec', 'escalation'], value: [], says: ['spec.escalation', 'remove it'] },
  { kind: 'OwnerGroup', path: ['spec', 'channels'], value: [], says: ['spec.channels', 'remove them'] },
  // remits
  { kind: 'AgentRemit', path: ['spec', 'signature'], value: '', says: ['spec.signature', 'at least 1'] },
  {
    kind: 'AgentRemit',
    path: ['spec', 'remit', 'generation'],
    value: undefined,
    says: ['spec.remit.generation: Required value'],
  },
]

describe('the kinds, on a real API server', () => {
  let apiserver: Apiserver
  const pathOf = (kind: RemitKind, name = '') =>
    `/apis/remit.dev/v1alpha1/${kind === 'ClusterAgentPolicy' ? '' : 'namespaces/payments/'}${PLURALS[kind]}/${name}`.replace(
      /\/$/,
      '',
    )
  const create = (kind: RemitKind, object: object, query: Record<string, string> = { dryRun: 'All' }) =>
    apiserver.client.request('POST', pathOf(kind), { body: object, query: { ...query, fieldValidation: 'Strict' } })
  const refusal = async (request: Promise<unknown>): Promise<string> => {
    const error = await request.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!(error instanceof ApiError)) throw new Error(`expected a refusal, got ${error ?? 'success'}`)
    return error.message
  }

  beforeAll(async () => {
    apiserver = await startApiserver({ crds: true })
    await createNamespace(apiserver.client, 'payments')
  }, 120_000)
  afterAll(() => apiserver?.stop())

  it.each(Object.keys(valid) as RemitKind[])('accepts a valid %s', async (kind) => {
    await create(kind, valid[kind]())
  })

  it.each(refused.map((row) => ({ ...row, field: row.path.join('.') })))(
    'refuses $kind $field: $value',
    async ({ kind, path, value, says }) => {
      const message = await refusal(create(kind, spoil(valid[kind](), path, value)))
      for (const part of says) expect(message).toContain(part)
    },
  )

  it('fills in the defaults of the schema', async () => {
    const agent = await create('AgentIdentity', valid.AgentIdentity())
    expect(agent).toMatchObject({
      spec: {
        servers: [{ transport: 'StreamableHTTP', service: { scheme: 'http' } }, { transport: 'StreamableHTTP' }],
        models: [{ api: 'OpenAI' }],
      },
    })
    expect(await create('AgentPolicy', valid.AgentPolicy())).toMatchObject({ spec: { mode: 'Enforce' } })
    expect(await create('OwnerGroup', valid.OwnerGroup())).toMatchObject({
      spec: { onCall: { rotation: { every: { count: 1 } } } },
    })
  })

  it('keeps all of a remit, whatever is in it', async () => {
    const stored = await create('AgentRemit', valid.AgentRemit())
    expect(stored).toMatchObject({ spec: { remit: { version: 1, anything: { at: ['all'] } } } })
  })

  it('keeps all of a policy', async () => {
    const policy = valid.AgentPolicy()
    const stored = await create('AgentPolicy', policy)
    expect(stored).toMatchObject({ spec: policy.spec })
  })

  it('never lets who created an agent change, not even by way of removing it first', async () => {
    const agent = valid.AgentIdentity()
    await create('AgentIdentity', agent, {})
    const patch = (body: object) =>
      apiserver.client.request('PATCH', pathOf('AgentIdentity', agent.metadata.name), {
        body,
        contentType: 'application/merge-patch+json',
      })
    const changed = await refusal(patch({ spec: { createdBy: { username: 'eve' } } }))
    expect(changed).toContain('spec.createdBy')
    expect(changed).toContain('make a new agent')
    expect(await refusal(patch({ spec: { createdBy: null } }))).toContain('spec.createdBy: Required value')
    expect(await refusal(patch({ spec: null }))).toContain('spec: Required value')
    await patch({ spec: { suspended: true } })
  })
})

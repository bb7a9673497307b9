import { createHash } from 'node:crypto'
import { EVIDENCE_GROUP, VERSION } from '../../lib/api/names.ts'
import { EVIDENCE_API_VERSION, KIND, RESOURCE } from './group.ts'

const GVK = { group: EVIDENCE_GROUP, version: VERSION, kind: KIND }
const MODEL = `dev.remit.evidence.${VERSION}`
const string = (description: string) => ({ type: 'string', description })
const integer = (description: string) => ({ type: 'integer', format: 'int64', description })

const receipt = {
  type: 'object',
  description:
    'Receipt is one record of what an agent did, exactly as its sidecar signed it: an intent before each call, a result after it, and the starts, remits and freezes in between. Receipts are only ever added; nobody can change or delete one through this API.',
  properties: {
    apiVersion: string('Group and version of this object.'),
    kind: string('Always Receipt.'),
    metadata: {
      type: 'object',
      description: 'Name is <incarnation>-<seq>. Labels: remit.dev/agent, remit.dev/agent-id.',
    },
    envelope: {
      type: 'object',
      description: 'The hash-only leaf: enough to verify the chain when a body has been erased.',
      properties: {
        v: integer('Version of the envelope; 1.'),
        kind: string('incarnation, remit, intent, result, orphan, escalation or heartbeat.'),
        agent: string('UID of the AgentIdentity.'),
        incarnation: string('One start of the sidecar: the first 12 hex digits of SHA-256 over its raw public key.'),
        epoch: integer("The operator's epoch of the remit in force."),
        seq: integer('Counts from 0 within the incarnation.'),
        prev: string('SHA-256 of the envelope before this one; empty for seq 0.'),
        time: string("RFC 3339, by the sidecar's clock."),
        body: string('SHA-256 of the RFC 8785 form of the body.'),
        sig: string('Ed25519 over the RFC 8785 form of the envelope without sig, base64url.'),
      },
    },
    body: {
      type: 'object',
      description: 'What happened; its fields depend on kind.',
      properties: {
        kind: string('The same as in the envelope.'),
        agent: {
          type: 'object',
          description: 'Of an intent: id, namespace, name, and who created the agent (createdBy).',
        },
        owner: { type: 'object', description: 'Of an intent: the owner group and who was on call.' },
        remit: { type: 'object', description: 'Of an intent: digest and generation of the remit it was decided by.' },
        call: {
          type: 'object',
          description:
            'Of an intent: type tool (server, tool, arguments and their digest), model (model, path, request digest), or resource, prompt, request, completion, task (server, method, name, arguments and their digest).',
        },
        stated: {
          type: 'object',
          description: 'Of an intent: task and reason as the agent states them; not verified.',
        },
        decision: {
          type: 'object',
          description: 'Of an intent: effect, rule, policy, and the reason in one sentence.',
        },
        object: {
          type: 'object',
          description:
            'Of an intent: the read of the object a write is about (read), and the digest of what it showed.',
        },
        trace: { type: 'object', description: 'Of an intent: traceId and spanId.' },
        intent: string('Of a result or orphan: name of the intent it belongs to.'),
        outcome: string('Of a result: ok, error, cancelled, unreachable, timeout, invalid, input or task.'),
        durationMs: { type: 'number', description: 'Of a result: milliseconds from dispatch to answer.' },
        changed: {
          type: 'array',
          description: 'Of a result: what a write changed of its object, by path, with old and new value.',
          items: { type: 'object' },
        },
        policy: string('Of an escalation: the policy whose breaker froze the agent.'),
        detail: string('Of an escalation: what opened the breaker.'),
      },
      'x-kubernetes-preserve-unknown-fields': true,
    },
  },
  'x-kubernetes-group-version-kind': [GVK],
}
const receiptList = (ref: string) => ({
  type: 'object',
  description: 'ReceiptList is a list of receipts.',
  required: ['items'],
  properties: {
    apiVersion: string('Group and version of this object.'),
    kind: string('Always ReceiptList.'),
    metadata: { type: 'object', description: 'resourceVersion, and continue when there are more.' },
    items: {
      type: 'array',
      items: { $ref: `${ref}${MODEL}.Receipt` },
      description: 'The receipts, oldest first unless order=desc.',
    },
  },
  'x-kubernetes-group-version-kind': [{ ...GVK, kind: 'ReceiptList' }],
})

const PATHS = {
  list: `/apis/${EVIDENCE_API_VERSION}/namespaces/{namespace}/${RESOURCE}`,
  get: `/apis/${EVIDENCE_API_VERSION}/namespaces/{namespace}/${RESOURCE}/{name}`,
  listAll: `/apis/${EVIDENCE_API_VERSION}/${RESOURCE}`,
}
const info = { title: 'Remit evidence', version: VERSION }
const action = (verb: string) => ({ 'x-kubernetes-action': verb, 'x-kubernetes-group-version-kind': GVK })
const parameter = (name: string) => ({ name, in: 'path', required: true })
const OPERATIONS = [
  {
    path: PATHS.list,
    id: 'listEvidenceRemitV1alpha1NamespacedReceipt',
    verb: 'list',
    model: 'ReceiptList',
    parameters: ['namespace'],
  },
  {
    path: PATHS.get,
    id: 'readEvidenceRemitV1alpha1NamespacedReceipt',
    verb: 'get',
    model: 'Receipt',
    parameters: ['namespace', 'name'],
  },
  {
    path: PATHS.listAll,
    id: 'listEvidenceRemitV1alpha1ReceiptForAllNamespaces',
    verb: 'list',
    model: 'ReceiptList',
    parameters: [],
  },
]

/** What `kubectl explain receipts` reads. */
export const openapiV3 = {
  openapi: '3.0.0',
  info,
  paths: Object.fromEntries(
    OPERATIONS.map(({ path, id, verb, model, parameters }) => [
      path,
      {
        get: {
          operationId: id,
          ...action(verb),
          parameters: parameters.map((name) => ({ ...parameter(name), schema: { type: 'string' } })),
          responses: {
            200: {
              description: 'OK',
              content: { 'application/json': { schema: { $ref: `#/components/schemas/${MODEL}.${model}` } } },
            },
          },
        },
      },
    ]),
  ),
  components: {
    schemas: { [`${MODEL}.Receipt`]: receipt, [`${MODEL}.ReceiptList`]: receiptList('#/components/schemas/') },
  },
}

export const openapiV2 = {
  swagger: '2.0',
  info,
  paths: Object.fromEntries(
    OPERATIONS.map(({ path, id, verb, model, parameters }) => [
      path,
      {
        get: {
          operationId: id,
          ...action(verb),
          produces: ['application/json'],
          parameters: parameters.map((name) => ({ ...parameter(name), type: 'string' })),
          responses: { 200: { description: 'OK', schema: { $ref: `#/definitions/${MODEL}.${model}` } } },
        },
      },
    ]),
  ),
  definitions: { [`${MODEL}.Receipt`]: receipt, [`${MODEL}.ReceiptList`]: receiptList('#/definitions/') },
}

export const OPENAPI_V3_PATH = `/openapi/v3/apis/${EVIDENCE_API_VERSION}`
const hash = createHash('sha256').update(JSON.stringify(openapiV3)).digest('hex').toUpperCase()
export const openapiV3Root = {
  paths: { [`apis/${EVIDENCE_API_VERSION}`]: { serverRelativeURL: `${OPENAPI_V3_PATH}?hash=${hash}` } },
}

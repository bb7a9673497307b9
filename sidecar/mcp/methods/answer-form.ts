import { RPC } from '../../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import { parseStrict } from '../../../lib/core/strict.ts'
import type { Answered, Asked } from '../ports.ts'

/** An agent's answer as it may be decided; or what is wrong with it, as a phrase. */
export type AnswerForm = { result: JsonObject } | { problem: string }

const isText = (value: unknown): value is string => typeof value === 'string'
const isScalar = (value: unknown): boolean => isText(value) || typeof value === 'number' || typeof value === 'boolean'

const sampled = ({ role, content, model, stopReason }: JsonObject): JsonObject | undefined =>
  isText(role) && isText(model) && (isObject(content) || Array.isArray(content))
    ? { role, content, model, ...(isText(stopReason) ? { stopReason } : {}) }
    : undefined

/** Of a form only what the server asked for: what else an agent adds, nobody asked the policy about. */
const elicited = ({ action, content }: JsonObject, { mode, requestedSchema }: JsonObject): JsonObject | undefined => {
  if (action === 'decline' || action === 'cancel') return { action }
  if (action !== 'accept') return undefined
  if (mode === 'url') return content === undefined ? { action } : undefined
  const schema = isObject(requestedSchema) && isObject(requestedSchema.properties) ? requestedSchema.properties : {}
  if (!isObject(content)) return undefined
  const fits = Object.entries(content).every(
    ([name, value]) =>
      Object.hasOwn(schema, name) && (isScalar(value) || (Array.isArray(value) && value.every(isText))),
  )
  return fits ? { action, content } : undefined
}

const listed = ({ roots }: JsonObject): JsonObject | undefined => {
  if (!Array.isArray(roots)) return undefined
  const plain = roots.flatMap((root) =>
    isObject(root) && isText(root.uri) && root.uri.startsWith('file://')
      ? [{ uri: root.uri, ...(isText(root.name) ? { name: root.name } : {}) }]
      : [],
  )
  return plain.length === roots.length ? { roots: plain } : undefined
}

/** Reads an agent's answer to a server's request: the fields that the protocol gives it, and no others. */
export const readResult = (asked: Asked, result: JsonObject): AnswerForm => {
  const form =
    asked.method === 'sampling/createMessage'
      ? sampled(result)
      : asked.method === 'elicitation/create'
        ? elicited(result, asked.params)
        : listed(result)
  if (form === undefined) return { problem: 'the answer is not of the form that was asked for' }
  try {
    return parseStrict(JSON.stringify(form)).ok ? { result: form } : { problem: 'the answer is not plain JSON' }
  } catch {
    return { problem: 'the answer is nested too deep' }
  }
}

const KNOWN_CODES = new Set<number>([-1, RPC.invalidRequest, RPC.methodNotFound, RPC.invalidParams, RPC.internal])

/** An agent's refusal as the server gets it: its words could say what no rule about answers lets it say. */
export const plainError = ({ code }: Extract<Answered, { error: unknown }>['error']): Answered => ({
  error: { code: KNOWN_CODES.has(code) ? code : RPC.internal, message: 'The client does not answer this.' },
})

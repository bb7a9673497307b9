import { RELATED_TASK } from '../../../lib/api/mcp.ts'
import { aliasOf } from '../../../lib/core/alias.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import { parseStrict } from '../../../lib/core/strict.ts'
import { modesOf } from '../capabilities.ts'
import type { Asked } from '../ports.ts'

/** What a server may write into each of its requests; nothing else reaches the agent. */
const FIELDS: Record<string, string[]> = {
  'sampling/createMessage':
    'messages systemPrompt includeContext maxTokens temperature stopSequences modelPreferences metadata tools toolChoice'.split(
      ' ',
    ),
  'elicitation/create': ['mode', 'message', 'requestedSchema', 'url', 'elicitationId'],
  'roots/list': [],
}
/** Read by every client; of these nothing but the token and the task is passed on. */
const COMMON = ['_meta', 'task']

const MAX_BYTES = 4 * 1024 * 1024
const MAX_URL = 2_048
export const MAX_ELICITATION_ID = 256

/** A server's request as it may be decided, and the agent be asked it; or what is wrong with it, as a phrase. */
export type RequestForm = { params: JsonObject; meta: JsonObject } | { problem: string }

const pick = (object: JsonObject, names: string[]): JsonObject =>
  Object.fromEntries(names.filter((name) => Object.hasOwn(object, name)).map((name) => [name, object[name]!]))

/** What the agent's client cannot do it is not asked. */
const beyond = (method: string, params: JsonObject, can: JsonObject): string | undefined => {
  if (method === 'roots/list') return isObject(can.roots) ? undefined : 'the client has no roots'
  if (method === 'elicitation/create') {
    const modes: unknown[] = isObject(can.elicitation) ? modesOf(can.elicitation) : []
    return modes.includes(params.mode ?? 'form') ? undefined : 'the client does not do such elicitation'
  }
  if (!isObject(can.sampling)) return 'the client does no sampling'
  if ((params.tools !== undefined || params.toolChoice !== undefined) && !isObject(can.sampling.tools))
    return 'the client does no sampling with tools'
  const context = params.includeContext ?? 'none'
  return context === 'none' || isObject(can.sampling.context) ? undefined : 'the client gives no context to sampling'
}

/** A URL in the one form that policies compare and browsers open; a user name before the host would pass for the host. */
const plainUrl = (url: unknown): string | undefined => {
  if (typeof url !== 'string' || url.length > MAX_URL || !URL.canParse(url)) return undefined
  const { protocol, username, password, href } = new URL(url)
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '' ? href : undefined
}

const elicitation = (params: JsonObject): JsonObject | string => {
  const { mode = 'form', url, elicitationId: id, requestedSchema, ...rest } = params
  if (mode === 'form')
    return isObject(requestedSchema)
      ? { ...rest, ...(params.mode === undefined ? {} : { mode }), requestedSchema }
      : 'the form has no schema'
  const plain = plainUrl(url)
  if (plain === undefined) return 'the URL is none of http or https in its plain form'
  if (id !== undefined && (typeof id !== 'string' || id === '' || id.length > MAX_ELICITATION_ID))
    return `the elicitation's id is not 1 to ${MAX_ELICITATION_ID} characters`
  return { ...rest, mode, url: plain, ...(id === undefined ? {} : { elicitationId: id }) }
}

/** Reads a server's request as strictly as an agent's: as this and nothing else any client will understand it. */
export const readRequest = ({ method, params: given }: Asked, capabilities: JsonObject): RequestForm => {
  const fields = FIELDS[method]
  if (fields === undefined) return { problem: 'it is none that passes' }
  if (!isObject(given)) return { problem: 'its params are no object' }
  const names = Object.keys(given)
  const stray = [...fields, ...COMMON].find((field) => aliasOf(field, names) !== undefined)
  if (stray !== undefined) return { problem: `${stray} must be spelled like this` }
  if (given.task !== undefined) return { problem: 'tasks of the agent are not passed on' }
  const picked = pick(given, fields)
  const params = method === 'elicitation/create' ? elicitation(picked) : picked
  if (typeof params === 'string') return { problem: params }
  const lacking = beyond(method, params, capabilities)
  if (lacking !== undefined) return { problem: lacking }
  try {
    const plain = parseStrict(JSON.stringify(params), { maxBytes: MAX_BYTES })
    if (!plain.ok) return { problem: plain.code === 'RequestTooLarge' ? 'it is too large' : 'it is not plain JSON' }
  } catch {
    return { problem: 'it is nested too deep' }
  }
  return { params, meta: isObject(given._meta) ? pick(given._meta, ['progressToken', RELATED_TASK]) : {} }
}

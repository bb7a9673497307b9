import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { Step } from '../../lib/core/path.ts'
import { redact } from '../../lib/core/redact.ts'
import type { Json } from '../../lib/core/strict.ts'

export const WITHHELD = 'The policy withholds this part of the result.'

export type Commit = (where: string, value: Json) => Json

/** Of a result that is redacted, nothing passes but these: a server may repeat a value wherever it likes. */
export const redactedText = (text: string, paths: Step[][], commit: Commit): string | undefined => {
  try {
    return JSON.stringify(redact(JSON.parse(text) as Json, paths, commit))
  } catch {
    return undefined
  }
}

/**
 * A server's answer to a call without what stands at `paths`: in the structured result and in texts that are JSON a
 * commitment stands in. A text that is not JSON, and content of any other kind, can hold the same values where no path
 * leads to; one text in their place says that they are withheld. So does the message of an error.
 */
export const withhold = (answer: JsonObject, paths: Step[][], commit: Commit): JsonObject => {
  if (paths.length === 0) return answer
  const { jsonrpc, id } = answer as { jsonrpc: Json; id: Json }
  if (isObject(answer.error)) return { jsonrpc, id, error: { code: answer.error.code ?? 0, message: WITHHELD } }
  const result = isObject(answer.result) ? answer.result : {}
  const content: Json[] = []
  let held = false
  for (const [index, part] of (Array.isArray(result.content) ? result.content : []).entries()) {
    const text =
      isObject(part) && part.type === 'text' && typeof part.text === 'string'
        ? redactedText(part.text, paths, (where, value) => commit(join(`content[${index}]`, where), value))
        : undefined
    if (text !== undefined) content.push({ type: 'text', text })
    else held = true
  }
  if (held) content.push({ type: 'text', text: WITHHELD })
  return {
    jsonrpc,
    id,
    result: {
      content,
      ...(result.structuredContent === undefined
        ? {}
        : { structuredContent: structured(result.structuredContent, paths, commit) }),
      ...(typeof result.isError === 'boolean' ? { isError: result.isError } : {}),
    },
  }
}

const join = (part: string, where: string) => (where === '' ? part : `${part}.${where}`)
const structured = (value: Json, paths: Step[][], commit: Commit): Json =>
  redact(value, paths, (where, at) => commit(join('structuredContent', where), at))

/**
 * A server's notification on its way to an agent from whom results are withheld: what it logs is dropped, and of
 * progress the numbers pass. Undefined when nothing does.
 */
export const withholdNotification = (message: JsonObject, raw: string): string | undefined => {
  if (message.method === 'notifications/message') return undefined
  if (message.method !== 'notifications/progress' || !isObject(message.params)) return raw
  const { progressToken, progress, total } = message.params
  return JSON.stringify({
    jsonrpc: '2.0',
    method: message.method,
    params: {
      ...(progressToken === undefined ? {} : { progressToken }),
      ...(progress === undefined ? {} : { progress }),
      ...(total === undefined ? {} : { total }),
    },
  })
}

import { aliasOf } from '../../../lib/core/alias.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Step } from '../../../lib/core/path.ts'
import type { Json } from '../../../lib/core/strict.ts'
import { type Commit, redactedText, WITHHELD } from '../withhold.ts'

/** Stands for contents of a resource nobody asked for, or that may not be read by itself. */
export const ELSEWHERE = 'The gate withholds contents of another resource.'

const BESIDE = ['contents', 'uri', 'text', 'blob']

/** Whether `uri` is the resource that was asked for, or one below it. */
const isWithin = (asked: string, uri: string): boolean =>
  uri === asked || uri.startsWith(asked.endsWith('/') ? asked : `${asked}/`)

/**
 * The answer to `resources/read` with contents of what was asked for, and below it of what `mayRead`; one text says that
 * there was more. Undefined when it holds no contents.
 */
export const ownContents = (
  result: JsonObject,
  asked: string,
  mayRead: (uri: string) => boolean,
): JsonObject | undefined => {
  const { contents } = result
  if (!Array.isArray(contents) || aliasOf('contents', Object.keys(result)) !== undefined) return undefined
  const isOwn = (part: Json): boolean => {
    if (!isObject(part) || typeof part.uri !== 'string' || !isWithin(asked, part.uri)) return false
    const names = Object.keys(part)
    if (BESIDE.some((field) => aliasOf(field, names) !== undefined)) return false
    return part.uri === asked || mayRead(part.uri)
  }
  const own = contents.filter(isOwn)
  if (own.length === contents.length) return result
  return { ...result, contents: [...own, { uri: asked, mimeType: 'text/plain', text: ELSEWHERE }] }
}

const withheldError = ({ jsonrpc, id, error }: JsonObject): JsonObject => ({
  jsonrpc: jsonrpc!,
  id: id!,
  error: { code: isObject(error) ? (error.code ?? 0) : 0, message: WITHHELD },
})

/** An answer's envelope around what is left of its result. */
const answer = ({ jsonrpc, id, result }: JsonObject, left: JsonObject): JsonObject => ({
  jsonrpc: jsonrpc!,
  id: id!,
  result: isObject(result) && result.resultType !== undefined ? { resultType: result.resultType, ...left } : left,
})

/** A text without what stands at the paths; the whole of it where it is not JSON. */
const textWithout = (text: Json | undefined, paths: Step[][], commit: Commit, where: string): string =>
  (typeof text === 'string'
    ? redactedText(text, paths, (at, value) => commit(at === '' ? where : `${where}.${at}`, value))
    : undefined) ?? WITHHELD

/** As {@link withhold}, of what a resource holds: texts that are JSON are looked into, all else is withheld whole. */
export const withholdContents = (message: JsonObject, paths: Step[][], commit: Commit): JsonObject => {
  if (paths.length === 0) return message
  if (!isObject(message.result)) return withheldError(message)
  const { contents } = message.result
  const left = (Array.isArray(contents) ? contents : []).map((part, index) => {
    const { uri, mimeType, text } = isObject(part) ? part : {}
    return {
      uri: String(uri),
      ...(typeof mimeType === 'string' ? { mimeType } : {}),
      text: textWithout(text, paths, commit, `contents[${index}]`),
    }
  })
  return answer(message, { contents: left })
}

/** As {@link withhold}, of what a prompt says. */
export const withholdPrompt = (message: JsonObject, paths: Step[][], commit: Commit): JsonObject => {
  if (paths.length === 0) return message
  if (!isObject(message.result)) return withheldError(message)
  const { messages } = message.result
  const left = (Array.isArray(messages) ? messages : []).map((part, index) => {
    const { role, content } = isObject(part) ? part : {}
    const text = isObject(content) && content.type === 'text' ? content.text : undefined
    return {
      role: role === 'assistant' ? 'assistant' : 'user',
      content: { type: 'text', text: textWithout(text, paths, commit, `messages[${index}]`) },
    }
  })
  return answer(message, { messages: left })
}

/** As {@link withhold}, of suggestions: each could be a value. */
export const withholdCompletion = (message: JsonObject, paths: Step[][]): JsonObject => {
  if (paths.length === 0) return message
  return isObject(message.result) ? answer(message, { completion: { values: [] } }) : withheldError(message)
}

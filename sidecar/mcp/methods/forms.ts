import type { OtherCallRecord } from '../../../lib/api/receipt.ts'
import { offered } from '../../../lib/core/decide-other.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { OtherCall } from '../../../lib/core/other-call.ts'
import { fallen, refuse } from '../../../lib/core/standing.ts'
import type { Json } from '../../../lib/core/strict.ts'
import { fitsNothing } from '../../../lib/core/uri-glob.ts'
import type { GateContext } from '../../context.ts'
import { clip } from '../../receipts.ts'
import type { AnswerKind } from '../outcome.ts'
import type { Ruling } from '../recorded.ts'
import { ownContents, withholdCompletion, withholdContents, withholdPrompt } from './contents.ts'
import { literalOf } from './lists.ts'
import { patternOf } from './uri-template.ts'

/** A request that has to be decided, read strictly. */
export interface DecidedForm {
  about: Pick<OtherCallRecord, 'type' | 'name'>
  /** What is decided, and recorded. */
  args: Json
  /** What is forwarded. */
  params: JsonObject
  decide: (gate: GateContext) => Ruling
  kind: AnswerKind
  /** The result as far as it is about what was asked for; undefined when it is no such result. */
  own: (gate: GateContext, result: JsonObject) => JsonObject | undefined
}

const MAX_NAME = 256
const MAX_VALUE = 4_096
/** Suggestions of one answer, as the protocol has it. */
const MAX_VALUES = 100
const TEXT_CHARS = 1_000

const isText = (value: unknown): value is string => typeof value === 'string'
const first = (parts: Json | undefined, textOf: (part: JsonObject) => Json | undefined): string | undefined => {
  const texts = (Array.isArray(parts) ? parts : []).flatMap((part) => {
    const text = isObject(part) ? textOf(part) : undefined
    return isText(text) ? [text] : []
  })
  return texts[0] === undefined ? undefined : clip(texts[0], TEXT_CHARS)
}

const CONTENTS: AnswerKind = {
  withhold: withholdContents,
  text: ({ contents }) => first(contents, ({ text }) => text),
}
const PROMPT: AnswerKind = {
  withhold: withholdPrompt,
  text: ({ messages }) => first(messages, ({ content }) => (isObject(content) ? content.text : undefined)),
}
const COMPLETION: AnswerKind = { withhold: withholdCompletion, text: () => undefined }

const resource = (server: string, method: string, params: JsonObject): DecidedForm | string => {
  const { uri } = params
  if (!isText(uri) || uri === '') return 'params.uri must be the URI of a resource'
  const call: OtherCall & { type: 'resource' } = { type: 'resource', server, name: uri, arguments: { uri } }
  return {
    about: { type: 'resource', name: uri },
    args: { uri },
    params: { uri },
    decide: (gate) => gate.history.decideRead(call),
    kind: CONTENTS,
    own: (gate, result) => {
      if (method !== 'resources/read') return result
      const mayRead = (below: string) =>
        gate.history.weigh({ ...call, name: below, arguments: { uri: below } }).decision.effect === 'Allow'
      return ownContents(result, uri, mayRead)
    },
  }
}

const prompt = (server: string, params: JsonObject): DecidedForm | string => {
  const { name, arguments: given } = params
  const args = given ?? {}
  if (!isText(name) || name === '' || name.length > MAX_NAME) return 'params.name must be the name of a prompt'
  if (!isObject(args) || !Object.values(args).every(isText)) return 'params.arguments must be an object of strings'
  return {
    about: { type: 'prompt', name },
    args,
    params: { name, ...(given === undefined ? {} : { arguments: args }) },
    decide: (gate) => gate.history.decideRead({ type: 'prompt', server, name, arguments: args }),
    kind: PROMPT,
    own: (_gate, result) => (Array.isArray(result.messages) ? result : undefined),
  }
}

/** The prompt or resource template that is completed; undefined when it is neither. */
const reference = (
  ref: Json | undefined,
): { type: 'prompt' | 'resource'; name: string; ref: JsonObject } | undefined => {
  if (!isObject(ref)) return undefined
  const { type, name, uri } = ref
  if (type === 'ref/prompt' && isText(name) && name !== '') return { type: 'prompt', name, ref: { type, name } }
  return type === 'ref/resource' && isText(uri) && uri !== ''
    ? { type: 'resource', name: uri, ref: { type, uri } }
    : undefined
}

/** Completing arguments of something is for whom some rule could give it; which argument it will be given with is not known. */
const completion = (server: string, params: JsonObject): DecidedForm | string => {
  const about = reference(params.ref)
  const { argument, context } = params
  if (!about) return 'params.ref must name a prompt or a resource'
  if (!isObject(argument) || !isText(argument.name) || !isText(argument.value) || argument.value.length > MAX_VALUE)
    return `params.argument must have a name, and a value of at most ${MAX_VALUE} characters`
  const resolved = isObject(context) ? context.arguments : undefined
  if (context !== undefined && resolved !== undefined && !(isObject(resolved) && Object.values(resolved).every(isText)))
    return 'params.context.arguments must be an object of strings'
  const { type, name, ref } = about
  const args = {
    ref,
    argument: { name: argument.name, value: argument.value },
    ...(resolved === undefined ? {} : { context: { arguments: resolved } }),
  }
  const what = `${name} of ${server}`
  return {
    about: { type: 'completion', name },
    args,
    params: args,
    decide: (gate) => {
      const inForce = gate.authority.current()!
      const { prepared } = inForce
      const isTemplate = type === 'resource' && name.includes('{')
      const stopped = fallen(prepared, gate.now()) ?? gate.history.frozen()
      if (stopped) return { inForce, decision: stopped }
      const could = isTemplate
        ? offered(prepared, type, server, literalOf(name), true)
        : offered(prepared, type, server, name)
      return could
        ? {
            inForce,
            decision: {
              effect: 'Allow',
              reason: `Some rule could give ${clip(what, 256)}, so its arguments are completed.`,
            },
          }
        : { inForce, decision: refuse('NoRuleAllows', { what: clip(what, 256) }) }
    },
    kind: COMPLETION,
    own: (gate, result) => {
      const { completion: given } = result
      if (!isObject(given) || !Array.isArray(given.values) || !given.values.every(isText)) return undefined
      if (type === 'prompt') return result
      const { prepared } = gate.authority.current()!
      const suggested = given.values.slice(0, MAX_VALUES) as string[]
      const values = suggested.filter((value) => {
        const pattern = patternOf(name, { ...(resolved as Record<string, string>), [argument.name as string]: value })
        return pattern.includes('*')
          ? fitsNothing(pattern) === undefined && offered(prepared, type, server, pattern, true)
          : offered(prepared, type, server, pattern)
      })
      if (values.length === given.values.length) return result
      const { total: _total, ...rest } = given
      return { ...result, completion: { ...rest, values } }
    },
  }
}

/** Reads a request that has to be decided, or says in a phrase what the protocol does not allow about it. */
export const readForm = (server: string, method: string, params: JsonObject): DecidedForm | string => {
  if (method === 'prompts/get') return prompt(server, params)
  return method === 'completion/complete' ? completion(server, params) : resource(server, method, params)
}

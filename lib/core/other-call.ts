import type { Json } from './strict.ts'

/** What is decided besides calls of tools. */
export type OtherCall = ResourceCall | PromptCall | RequestCall

/** A resource that is read or subscribed to. */
export interface ResourceCall {
  type: 'resource'
  server: string
  /** Its URI. */
  name: string
  /** `{uri}` */
  arguments: Json
}
/** A prompt that is got. */
export interface PromptCall {
  type: 'prompt'
  server: string
  name: string
  /** `params.arguments`, `{}` when there are none. */
  arguments: Json
}
/** What a server asks of the agent. */
export interface RequestCall {
  type: 'request'
  server: string
  /** The method: sampling/createMessage, elicitation/create or roots/list. */
  name: string
  /** `params`, `{}` when there are none. */
  arguments: Json
}

/** What servers may ask of an agent at all. */
export const REQUESTS = ['sampling/createMessage', 'elicitation/create', 'roots/list'] as const

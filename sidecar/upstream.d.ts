import { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
/** A place the gate forwards to. */
export interface Target {
  name: string
  url: URL
  /** Host header and TLS server name when they differ from the URL's. */
  host?: string | undefined
  /** Header and value that the agent never sees. */
  credential?:
    | {
        header: string
        value: string
      }
    | undefined
}
/** Why there was no usable answer. `sent`: whether the other side may have acted on the request. */
export declare class UpstreamFailure extends Error {
  name: string
  readonly kind: 'unreachable' | 'timeout' | 'invalid' | 'cancelled'
  readonly sent: boolean
  constructor(kind: UpstreamFailure['kind'], detail: string, sent: boolean)
}
export interface UpstreamRequest {
  method: string
  /** Without the credential; it is added here, last, so that nothing can replace it. */
  headers: OutgoingHttpHeaders
  body?: Buffer
  signal: AbortSignal
  /** Longest silence, milliseconds; while connecting, and between any two bytes. */
  idleMs: number
}
/** Sends one request and resolves with the head of the answer; rejects with UpstreamFailure. */
export type Send = (target: Target, request: UpstreamRequest) => Promise<IncomingMessage>
/** What an aborted request failed of: the reason it was aborted with, or that somebody gave it up. */
export declare const failureOf: (signal: AbortSignal) => UpstreamFailure
/** Connections to servers are kept and shared by all calls. */
export declare const createSend: () => {
  send: Send
  close: () => void
}

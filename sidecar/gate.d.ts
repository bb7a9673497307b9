import type { Meter, Tracer } from '@opentelemetry/api'
import type { Logger } from '../lib/service/log.ts'
import type { Authority } from './authority.ts'
import { type Credentials, type Limits } from './context.ts'
import { type RelayTelemetry } from './otlp.ts'
import type { Spool } from './spool/spool.ts'
export interface GateOptions {
  /** 0 takes a free one. */
  port: number
  authority: Authority
  spool: Spool
  /** Directory of the spool; the key of session ids is kept beside it. */
  dir: string
  credentials: Credentials
  telemetry: {
    tracer: Tracer
    meter: Meter
  }
  relayTelemetry?: RelayTelemetry | undefined
  limits?: Partial<Limits>
  now: () => number
  log: Logger
}
/** The only way from an agent to a tool or a model. */
export interface Gate {
  port: number
  /** Takes no new calls; those on their way get `graceMs` to end. */
  close: (graceMs?: number) => Promise<void>
}
/** Listens on loopback only; `authority` and `spool` stay the caller's to close. */
export declare const startGate: (options: GateOptions) => Promise<Gate>

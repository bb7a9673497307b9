import type { Logger } from '../lib/service/log.ts'
import { type TelemetryOptions } from '../lib/service/telemetry.ts'
import type { Limits } from './context.ts'
export interface StandaloneOptions {
  /** Paths of policy files; followed while running. */
  policyFiles: string[]
  /** URLs by name. */
  servers: Record<string, string>
  models: Record<string, string>
  /**
   * Files by the name of a server or model; the content goes up as `Authorization: Bearer`, to a model of Anthropic's
   * as `x-api-key`. Read at each call.
   */
  credentialFiles: Record<string, string>
  /** Who answers for the agent, unless a policy file has an OwnerGroup. */
  owner: string
  /** 0 takes a free one. */
  port: number
  /** Directory of the receipts; kept, and continued by the next run. */
  dataDir: string
  /** OTEL_EXPORTER_OTLP_ENDPOINT. */
  otlpEndpoint?: string | undefined
  /** Instead of OTLP (tests). */
  exporters?: TelemetryOptions['exporters']
  limits?: Partial<Limits>
  now: () => number
  log: Logger
  /** Tells a person what changed while running. */
  say: (line: string) => void
}
export interface Standalone {
  url: string
  port: number
  /** Of the remit in force. */
  digest: () => string
  close: () => Promise<void>
}
/**
 * The sidecar without a cluster: the same gate under a remit compiled here from policy files, receipts in a directory.
 * Throws UserError for what a person can mend.
 */
export declare const startStandalone: (options: StandaloneOptions) => Promise<Standalone>

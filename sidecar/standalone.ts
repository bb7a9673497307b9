import { userInfo } from 'node:os'
import type { RemitModel, RemitServer } from '../lib/api/remit.ts'
import { VERSION } from '../lib/api/version.ts'
import { STANDALONE } from '../lib/core/compile.ts'
import { UserError } from '../lib/core/errors.ts'
import type { Logger } from '../lib/service/log.ts'
import { startTelemetry, type TelemetryOptions } from '../lib/service/telemetry.ts'
import { createAuthority } from './authority.ts'
import type { Limits } from './context.ts'
import { readCredential } from './credentials.ts'
import { startGate } from './gate.ts'
import { openSpool } from './spool/spool.ts'
import { compileStandalone } from './standalone/compile.ts'
import { readPolicyFiles } from './standalone/files.ts'
import { followFiles } from './standalone/follow.ts'
import { readPast } from './standalone/past.ts'
import { lastUnfrozen, unfreeze } from './standalone/unfrozen.ts'

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
  /** The person who starts it lifts what froze the agent in an earlier run. */
  unfreeze?: boolean
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

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

const check = (kind: string, upstreams: Record<string, string>) => {
  for (const [name, url] of Object.entries(upstreams)) {
    if (!NAME.test(name))
      throw new UserError('BadUsage', {
        detail: `the ${kind} name ${name} is not lower-case letters, digits and dashes`,
      })
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new UserError('BadUsage', { detail: `${url}, of the ${kind} ${name}, is not an http or https URL` })
  }
}

const BEARER = { header: 'authorization', scheme: 'Bearer' } as const
const isAnthropic = (url: string) => new URL(url).hostname.endsWith('.anthropic.com')

/**
 * The sidecar without a cluster: the same gate under a remit compiled here from policy files, receipts in a directory.
 * Throws UserError for what a person can mend.
 */
export const startStandalone = async (options: StandaloneOptions): Promise<Standalone> => {
  const { log, now, credentialFiles: files } = options
  check('server', options.servers)
  check('model', options.models)
  for (const name of Object.keys(files))
    if (!(name in options.servers) && !(name in options.models))
      throw new UserError('BadUsage', {
        detail: `there is a credential for ${name}, but no server or model of that name`,
      })
  const startedAt = now()
  const servers = Object.entries(options.servers).map(
    ([name, url]): RemitServer => ({ name, url, ...(name in files ? { credential: BEARER } : {}) }),
  )
  const models = Object.entries(options.models).map(
    ([name, url]): RemitModel => ({
      name,
      url,
      api: isAnthropic(url) ? 'Anthropic' : 'OpenAI',
      ...(name in files ? { credential: isAnthropic(url) ? { header: 'x-api-key' } : BEARER } : {}),
    }),
  )
  const user = userInfo().username
  if (options.unfreeze) unfreeze(options.dataDir, { username: user, at: new Date(startedAt).toISOString() })
  const unfrozen = lastUnfrozen(options.dataDir)
  const authority = createAuthority({ log })
  let generation = 0
  const load = () => {
    generation = Math.max(generation + 1, now())
    const files = readPolicyFiles(options.policyFiles)
    authority.accept(
      compileStandalone({
        files,
        servers,
        models,
        owner: options.owner,
        user,
        at: generation,
        startedAt,
        unfrozen,
      }),
    )
  }
  load()

  const telemetry = startTelemetry({
    service: 'remit-gate',
    version: VERSION,
    ...(options.otlpEndpoint ? { endpoint: options.otlpEndpoint } : {}),
    ...(options.exporters ? { exporters: options.exporters } : {}),
  })
  const spool = await openSpool({
    dir: options.dataDir,
    incarnation: {
      agent: { id: STANDALONE, namespace: authority.current()!.remit.agent.namespace, name: STANDALONE },
      sidecar: { version: VERSION },
    },
    maxBytes: Number.POSITIVE_INFINITY,
    keep: true,
    now,
    epoch: authority.epoch,
    log,
  })
  authority.recordWith(spool.record)
  const { otlpEndpoint } = options
  const gate = await startGate({
    port: options.port,
    authority,
    spool,
    loadPast: async (since, take) => readPast(spool.segments(), since, take),
    dir: options.dataDir,
    credentials: (_kind, name) => readCredential(files[name]),
    telemetry,
    ...(otlpEndpoint
      ? {
          relayTelemetry: async (signal, headers, body, abort) =>
            (
              await fetch(`${otlpEndpoint.replace(/\/$/, '')}/v1/${signal}`, {
                method: 'POST',
                headers: headers as Record<string, string>,
                body: new Uint8Array(body),
                signal: abort,
              })
            ).status,
        }
      : {}),
    ...(options.limits ? { limits: options.limits } : {}),
    now,
    log,
  }).catch(async (error: NodeJS.ErrnoException) => {
    await spool.close()
    throw error.code === 'EADDRINUSE' ? new UserError('BadUsage', { detail: `port ${options.port} is in use` }) : error
  })
  const follow = followFiles(options.policyFiles, () => {
    try {
      load()
      options.say(`the changed policy is in force (remit ${authority.current()!.digest.slice(0, 12)})`)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      log.warn({ code: error.code, detail: error.message }, 'the changed policy cannot be used')
      options.say(
        `the changed policy cannot be used, so the one before stays in force: ${error.message} ${error.remedy}`,
      )
    }
  })
  let closing: Promise<void> | undefined
  const close = async () => {
    follow.close()
    await gate.close()
    await spool.close()
    await telemetry.shutdown()
  }
  return {
    url: `http://127.0.0.1:${gate.port}`,
    port: gate.port,
    digest: () => authority.current()!.digest,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

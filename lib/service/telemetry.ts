import { Agent } from 'node:https'
import type { Meter, Tracer } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import { idsOnly } from './ids-only.ts'

export interface TelemetryOptions {
  /** service.name */
  service: string
  version: string
  /** More resource attributes, by their semantic-convention names. */
  resource?: Record<string, string>
  /** OTLP/HTTP base URL; `/v1/traces` and `/v1/metrics` are appended. Without it nothing is exported. */
  endpoint?: string
  /** Asked for each export, so that a rotated token is picked up. */
  headers?: () => Promise<Record<string, string>>
  /** Certificate authorities (PEM) to accept the endpoint by, asked for each connection, and the name it must show. */
  tls?: { ca: () => string; servername?: string }
  /** Instead of OTLP (tests). */
  exporters?: { spans?: SpanExporter; metrics?: PushMetricExporter }
  metricsIntervalMs?: number
}
export interface Telemetry {
  tracer: Tracer
  meter: Meter
  flush(): Promise<void>
  shutdown(): Promise<void>
}

/** Options are copied when an agent is made; authorities are replaced while it lives. */
const followAuthorities = ({ ca, servername }: NonNullable<TelemetryOptions['tls']>): Agent => {
  const agent = new Agent({ keepAlive: true, servername, maxCachedSessions: 0 })
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (options, done) => connect({ ...options, ca: ca() }, done)
  return agent
}

const exportersFor = (options: TelemetryOptions) => {
  if (options.exporters || !options.endpoint) return options.exporters ?? {}
  const base = options.endpoint.replace(/\/$/, '')
  const { headers, tls } = options
  const shared = { headers, httpAgentOptions: tls ? () => followAuthorities(tls) : { keepAlive: true } }
  return {
    spans: new OTLPTraceExporter({ url: `${base}/v1/traces`, ...shared }),
    metrics: new OTLPMetricExporter({ url: `${base}/v1/metrics`, ...shared }),
  }
}

/** A tracer and a meter of one process. Losing telemetry never fails what it watches. */
export const startTelemetry = (options: TelemetryOptions): Telemetry => {
  const resource = resourceFromAttributes({
    'service.name': options.service,
    'service.version': options.version,
    ...options.resource,
  })
  const { spans, metrics } = exportersFor(options)
  const tracers = new TracerProvider({
    resource,
    spanProcessors: spans ? [new BatchSpanProcessor({ exporter: spans })] : [],
  })
  const readers = metrics
    ? [
        new PeriodicExportingMetricReader({
          exporter: metrics,
          exportIntervalMillis: options.metricsIntervalMs ?? 30_000,
        }),
      ]
    : []
  const meters = new MeterProvider({ resource, readers })
  const tracer = tracers.getTracer('remit', options.version)
  return {
    tracer: spans ? tracer : idsOnly(tracer),
    meter: meters.getMeter('remit', options.version),
    flush: async () => {
      await Promise.allSettled([tracers.forceFlush(), meters.forceFlush()])
    },
    shutdown: async () => {
      await Promise.allSettled([tracers.shutdown(), meters.shutdown()])
    },
  }
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { get } from '../../../lib/kube/objects.ts'
import { services } from '../../../lib/kube/resources.ts'
import { repoRoot } from '../../../tools/cluster/config.ts'
import { apply, ok } from './kubectl.ts'
import { visitor } from './probe.ts'
import { client } from './world.ts'

const NAME = 'collector'

export type Attributes = Record<string, string | number | boolean>
export interface SeenSpan {
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  kind: 'Internal' | 'Server' | 'Client' | 'Other'
  failed: boolean
  attributes: Attributes
  resource: Attributes
}
export interface SeenMetric {
  name: string
  unit: string
  /** Upper bounds of a histogram's buckets. */
  bounds?: number[]
  /** Of one series. */
  attributes: Attributes
  resource: Attributes
}

/** The real OpenTelemetry Collector in a pod of that namespace. */
export interface Collector {
  /** OTLP/HTTP of the receiver that believes who Remit says a sender is. */
  remit: string
  /** OTLP/HTTP for everything else. */
  others: string
  spans: () => Promise<SeenSpan[]>
  metrics: () => Promise<SeenMetric[]>
}

/** OTLP in JSON, as far as it is read here. */
interface OtlpAttribute {
  key: string
  value: { stringValue?: string; intValue?: string; doubleValue?: number; boolValue?: boolean }
}
interface OtlpPoint {
  attributes?: OtlpAttribute[]
  explicitBounds?: number[]
}
type OtlpData = { dataPoints: OtlpPoint[] }
interface OtlpMetric {
  name: string
  unit?: string
  sum?: OtlpData
  gauge?: OtlpData
  histogram?: OtlpData
}
interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  status?: { code?: number }
  attributes?: OtlpAttribute[]
}
interface OtlpLine {
  resourceSpans?: { resource: { attributes?: OtlpAttribute[] }; scopeSpans: { spans: OtlpSpan[] }[] }[]
  resourceMetrics?: { resource: { attributes?: OtlpAttribute[] }; scopeMetrics: { metrics: OtlpMetric[] }[] }[]
}

const KINDS = { 1: 'Internal', 2: 'Server', 3: 'Client' } as const
const ERROR = 2
const asObject = (attributes: OtlpAttribute[] = []): Attributes =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ??
        (value.intValue === undefined ? (value.doubleValue ?? value.boolValue ?? '') : Number(value.intValue)),
    ]),
  )

const spansIn = ({ resourceSpans = [] }: OtlpLine): SeenSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, spanId, parentSpanId = '', name, kind, status, attributes }) => ({
        traceId,
        spanId,
        parentSpanId,
        name,
        kind: KINDS[kind as keyof typeof KINDS] ?? 'Other',
        failed: status?.code === ERROR,
        attributes: asObject(attributes),
        resource: asObject(resource.attributes),
      })),
    ),
  )

const metricsIn = ({ resourceMetrics = [] }: OtlpLine): SeenMetric[] =>
  resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(
        ({ name, unit = '', sum, gauge, histogram }) =>
          (sum ?? gauge ?? histogram)?.dataPoints.map(({ attributes, explicitBounds }) => ({
            name,
            unit,
            ...(explicitBounds ? { bounds: explicitBounds } : {}),
            attributes: asObject(attributes),
            resource: asObject(resource.attributes),
          })) ?? [],
      ),
    ),
  )

/** What it has written so far; the line it is writing is left for the next time. */
const written = async (namespace: string, file: string): Promise<OtlpLine[]> => {
  const text = await ok(['exec', '-n', namespace, NAME, '--', '/bin/cat', `/out/${file}.json`])
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as OtlpLine)
}

/** Starts the collector with `test/fixtures/collector/config.yaml` and waits until it says that it is healthy. */
export const startCollector = async (namespace: string): Promise<Collector> => {
  const config = readFileSync(join(repoRoot, 'test/fixtures/collector/config.yaml'), 'utf8')
  const pod = visitor(namespace, NAME, { app: NAME })
  const [container] = pod.spec.containers
  const ports = [
    { name: 'otlp', port: 4318 },
    { name: 'otlp-remit', port: 4319 },
  ]
  await apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME, namespace }, data: { 'config.yaml': config } },
    {
      ...pod,
      spec: {
        ...pod.spec,
        containers: [
          {
            ...container,
            image: 'remit.local/demo-collector:dev',
            command: undefined,
            readinessProbe: { httpGet: { path: '/', port: 13133 }, periodSeconds: 1 },
            volumeMounts: [
              { name: 'config', mountPath: '/etc/otelcol' },
              { name: 'out', mountPath: '/out' },
            ],
          },
        ],
        volumes: [
          { name: 'config', configMap: { name: NAME } },
          { name: 'out', emptyDir: {} },
        ],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: NAME, namespace },
      spec: { selector: { app: NAME }, ports },
    },
  )
  await ok(['wait', '-n', namespace, '--for=condition=Ready', `pod/${NAME}`, '--timeout=60s'])
  const ip = (await get(client, services, { namespace, name: NAME })).spec?.clusterIP
  return {
    remit: `http://${ip}:4319`,
    others: `http://${ip}:4318`,
    spans: async () => (await written(namespace, 'traces')).flatMap(spansIn),
    metrics: async () => (await written(namespace, 'metrics')).flatMap(metricsIn),
  }
}

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

interface DataPoint {
  attributes?: { key: string; value: { stringValue?: string } }[]
  count?: number | string
  asInt?: number | string
  asDouble?: number
}
interface Metric {
  name: string
  sum?: { dataPoints: DataPoint[] }
  histogram?: { dataPoints: DataPoint[] }
}
interface Export {
  resourceMetrics?: { scopeMetrics?: { metrics?: Metric[] }[] }[]
}

/** One series of a process's metrics: how often, told apart by `attributes`. */
export interface Series {
  name: string
  attributes: Record<string, string>
  count: number
}

const seriesOf = ({ name, sum, histogram }: Metric): Series[] =>
  [...(sum?.dataPoints ?? []), ...(histogram?.dataPoints ?? [])].map((point) => ({
    name,
    attributes: Object.fromEntries((point.attributes ?? []).map(({ key, value }) => [key, value.stringValue ?? ''])),
    count: Number(point.count ?? point.asInt ?? point.asDouble ?? 0),
  }))

/**
 * Takes OTLP/HTTP of one process at a time and keeps the last export of its metrics, which are counted from its start.
 * A process that ends sends the last one on its way out.
 */
export const takeMetrics = async () => {
  let last: Series[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.url === '/v1/metrics') {
        const { resourceMetrics = [] } = JSON.parse(Buffer.concat(chunks).toString()) as Export
        const metrics = resourceMetrics.flatMap(({ scopeMetrics = [] }) => scopeMetrics.flatMap((each) => each.metrics))
        last = metrics.flatMap((metric) => (metric ? seriesOf(metric) : []))
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** What the last export said; empty until there is one. */
    last: () => last,
    forget: () => {
      last = []
    },
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** How often a controller reconciled, by result. */
export const reconciles = (series: Series[], controller: string): Record<string, number> =>
  Object.fromEntries(
    series
      .filter(
        ({ name, attributes }) =>
          name === 'kube.controller.reconcile.duration' && attributes['kube.controller.name'] === controller,
      )
      .map(({ attributes, count }) => [attributes.result ?? '', count]),
  )

/** How often each cache was listed for that reason, at least: the least of all kinds. */
export const lists = (series: Series[], reason: string): number => {
  const counted = series.filter(({ name }) => name === 'kube.cache.lists')
  const kinds = new Set(counted.map(({ attributes }) => attributes['k8s.resource.kind']))
  const times = [...kinds].map((kind) =>
    counted
      .filter(({ attributes }) => attributes['k8s.resource.kind'] === kind && attributes.reason === reason)
      .reduce((sum, { count }) => sum + count, 0),
  )
  return times.length > 0 ? Math.min(...times) : 0
}

/** Changes that watches had not brought and a list found. */
export const misses = (series: Series[]): number =>
  series.filter(({ name }) => name === 'kube.cache.misses').reduce((sum, { count }) => sum + count, 0)

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { startTelemetry } from './telemetry.ts'

test('spans and metrics reach an OTLP endpoint with headers asked for at each export', async () => {
  const seen: { path?: string; token?: string; bytes: number }[] = []
  const collector = createServer((request, response) => {
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    request.on('end', () => {
      seen.push({ path: request.url, token: request.headers.authorization, bytes })
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  let token = 'one'
  const telemetry = startTelemetry({
    service: 'remit-test',
    version: '0',
    endpoint: `http://127.0.0.1:${(collector.address() as AddressInfo).port}/otlp`,
    headers: async () => ({ authorization: `Bearer ${token}` }),
  })
  try {
    telemetry.tracer.startSpan('a').end()
    await telemetry.flush()
    token = 'two'
    telemetry.meter.createCounter('remit.calls').add(1)
    telemetry.tracer.startSpan('b').end()
    await telemetry.flush()
  } finally {
    await telemetry.shutdown()
    collector.close()
    collector.closeAllConnections()
  }
  const traces = seen.filter((s) => s.path === '/otlp/v1/traces')
  expect(traces.map((s) => s.token)).toEqual(['Bearer one', 'Bearer two'])
  expect(seen.some((s) => s.path === '/otlp/v1/metrics' && s.bytes > 0)).toBe(true)
})

test('without an endpoint nothing is exported and nothing fails', async () => {
  const telemetry = startTelemetry({ service: 'remit-test', version: '0' })
  telemetry.tracer.startSpan('a').end()
  telemetry.meter.createCounter('c').add(1)
  await telemetry.flush()
  await telemetry.shutdown()
})

import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api'
import { TracerProvider } from '@opentelemetry/sdk-trace'
import { expect, test } from 'vitest'
import { idsOnly } from './ids-only.ts'

const real = new TracerProvider({}).getTracer('test')

test.each([
  ['no parent', undefined],
  ['a sampled parent', { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true }],
  ['an unsampled parent', { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 0, isRemote: true }],
])('ids are as those of a whole span below %s', (_what, parent) => {
  const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT
  const whole = real.startSpan('a', {}, context).spanContext()
  const span = idsOnly(real).startSpan('a', {}, context)
  const { traceId, spanId, traceFlags } = span.spanContext()
  expect(traceFlags).toBe(whole.traceFlags)
  expect(traceId).toMatch(/^[0-9a-f]{32}$/)
  expect(spanId).toMatch(/^[0-9a-f]{16}$/)
  expect(traceId === parent?.traceId).toBe(parent !== undefined)
  expect(spanId).not.toBe(parent?.spanId)
  expect(span.isRecording()).toBe(false)
})

test('a root span begins a trace of its own', () => {
  const tracer = idsOnly(real)
  const parent = tracer.startSpan('a')
  const context = trace.setSpan(ROOT_CONTEXT, parent)
  expect(tracer.startSpan('b', {}, context).spanContext().traceId).toBe(parent.spanContext().traceId)
  const root = tracer.startSpan('b', { root: true }, context).spanContext()
  expect(root.traceId).not.toBe(parent.spanContext().traceId)
  expect(root.traceFlags).toBe(TraceFlags.SAMPLED)
})

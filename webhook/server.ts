import type { Meter } from '@opentelemetry/api'
import express from 'express'
import { UserError } from '../lib/core/errors.ts'
import type { Logger } from '../lib/service/log.ts'
import { mutateAgentIdentity, validateAgentIdentity } from './agentidentity.ts'
import type { Lookups } from './lookups.ts'
import { injectPod } from './pod.ts'
import { validateOwnerGroup, validatePolicy } from './policy.ts'
import { answer, parseReview, type Review, type Verdict } from './review.ts'
import { validateWorkload } from './workload.ts'

export interface ServerOptions {
  lookups: Lookups
  /** User name of the operator's ServiceAccount. */
  operator: string
  log: Logger
  meter: Meter
  now: () => number
}

const handlers = ({
  lookups,
  operator,
  now,
}: ServerOptions): Record<string, (review: Review) => Verdict | Promise<Verdict>> => ({
  '/mutate-agentidentity': (review) => mutateAgentIdentity(review, now()),
  '/validate-agentidentity': (review) => validateAgentIdentity(review, lookups, now()),
  '/validate-agentpolicy': validatePolicy,
  '/validate-ownergroup': (review) => validateOwnerGroup(review, now()),
  '/validate-workload': validateWorkload,
  '/mutate-pod': (review) => injectPod(review, lookups, operator),
})

/**
 * The webhook's HTTP face: an AdmissionReview in, one out. Whatever cannot be judged is an HTTP error, which the API
 * server (failurePolicy Fail) turns into a refusal.
 */
export const admissionApp = (options: ServerOptions) => {
  const { log, meter } = options
  const reviews = meter.createCounter('remit.admission.reviews', {
    description: 'Reviews answered, by path and outcome',
  })
  const duration = meter.createHistogram('remit.admission.duration', {
    unit: 's',
    description: 'Time to answer a review',
  })
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  for (const [path, handle] of Object.entries(handlers(options))) {
    app.post(path, express.raw({ type: 'application/json', limit: '8mb' }), async (request, response) => {
      const started = performance.now()
      const done = (outcome: string) => {
        reviews.add(1, { 'url.path': path, outcome })
        duration.record((performance.now() - started) / 1000, { 'url.path': path })
      }
      let review: Review | undefined
      try {
        if (!Buffer.isBuffer(request.body))
          throw new UserError('MalformedRequest', { detail: 'the body is not application/json' })
        review = parseReview(request.body)
        const verdict = await handle(review)
        if (!verdict.allowed) log.info(refusal(path, review, verdict.causes), 'refused')
        response.json(answer(review, verdict))
        done(verdict.allowed ? 'allowed' : 'refused')
      } catch (error) {
        done('failed')
        if (error instanceof UserError) {
          response.status(400).json({ error: { code: error.code, message: error.message } })
          return
        }
        log.error({ err: error, path, uid: review?.uid, kind: review?.kind.kind, name: review?.name }, 'review failed')
        response.status(500).json({ error: { code: 'Internal', message: 'the review could not be made; see the log' } })
      }
    })
  }
  app.get('/healthz', (_, response) => void response.type('text/plain').send('ok\n'))
  app.use(
    (_request, response) => void response.status(404).json({ error: { code: 'NotFound', message: 'no such path' } }),
  )
  app.use(((error, _request, response, _next) => {
    const status = Number(error?.status)
    if (!(status >= 400 && status < 500)) log.error({ err: error }, 'request failed')
    response
      .status(status >= 400 && status < 500 ? status : 500)
      .json({ error: { code: 'MalformedRequest', message: 'the request cannot be read' } })
  }) satisfies express.ErrorRequestHandler)
  return app
}

/** Fields and codes, never values: those are the user's. */
const refusal = (path: string, review: Review, causes: { field: string; code: string }[]) => ({
  path,
  uid: review.uid,
  namespace: review.namespace,
  name: review.name,
  user: review.userInfo.username,
  causes: causes.map(({ field, code }) => `${code} ${field}`),
})

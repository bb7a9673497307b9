import { type Request, type Response, Router } from 'express'
import { EVIDENCE_GROUP } from '../../lib/api/names.ts'
import type { Logger } from '../../lib/service/log.ts'
import type { Authorize, Wanted } from '../auth/access.ts'
import type { Person } from '../auth/front-proxy.ts'
import { apiGroup, apiResourceList, rootDiscovery } from './discovery.ts'
import { EVIDENCE_API_VERSION, RESOURCE } from './group.ts'
import { HEADS, itemOf, type Shown, sendList } from './list.ts'
import { negotiate, parseAccept } from './negotiate.ts'
import { OPENAPI_V3_PATH, openapiV2, openapiV3, openapiV3Root } from './openapi.ts'
import { parseQuery } from './query.ts'
import { QueryError, toStatus } from './status.ts'
import { sendWatch } from './watch.ts'

export interface EvidencePorts extends Shown {
  personOf: (request: Request) => Person
  authorize: Authorize
  log: Logger
  /** Watches open at a time. */
  maxWatches?: number
}

const BASE = `/apis/${EVIDENCE_API_VERSION}`

/** The aggregated API: who asks is known from the API server's proxy, what they may is asked of it again. */
export const evidenceRoutes = (ports: EvidencePorts): Router => {
  const { personOf, authorize, log, store, maxWatches = 256 } = ports
  const router = Router()
  let watches = 0

  const fail = (response: Response, error: unknown) => {
    if (response.headersSent) {
      response.destroy()
      return
    }
    const status = toStatus(error, log)
    response.status(status.code).json(status)
  }
  const answer =
    (handler: (request: Request, response: Response, person: Person) => Promise<void> | void) =>
    async (request: Request, response: Response) => {
      try {
        const person = personOf(request)
        if (request.method !== 'GET') throw new QueryError(405, 'MethodNotAllowed', 'receipts can only be read')
        await handler(request, response, person)
      } catch (error) {
        fail(response, error)
      }
    }
  const wanted = (verb: Wanted['verb'], namespace?: string, name?: string): Wanted => ({
    verb,
    group: EVIDENCE_GROUP,
    resource: RESOURCE,
    namespace,
    name,
  })
  const params = (request: Request) => new URL(request.url, 'https://ledger').searchParams

  const list = answer(async (request, response, person) => {
    const namespace = request.params.namespace as string | undefined
    const form = negotiate(parseAccept(request.headers.accept))
    const watch = ['true', '1'].includes(params(request).get('watch') ?? '')
    await authorize(person, wanted(watch ? 'watch' : 'list', namespace))
    const query = parseQuery(params(request), namespace)
    if (!query.watch) return sendList(response, query, form, ports)
    if (watches >= maxWatches)
      throw new QueryError(429, 'TooManyRequests', 'too many watches are open; try again later')
    watches++
    try {
      await sendWatch(response, query, form, ports)
    } finally {
      watches--
    }
  })
  const get = answer(async (request, response, person) => {
    const { namespace, name } = request.params as { namespace: string; name: string }
    const form = negotiate(parseAccept(request.headers.accept))
    await authorize(person, wanted('get', namespace, name))
    const row = store.index.byName(namespace, name)
    if (!row) throw new QueryError(404, 'NotFound', `receipts.${EVIDENCE_GROUP} "${name}" not found`)
    const item = await itemOf(row, form, { includeObject: 'Metadata' }, ports)
    response.json(
      form === 'Table' ? { ...HEADS.Table.head, metadata: { resourceVersion: String(row.n) }, rows: [item] } : item,
    )
  })
  const document = (body: object) => answer((_, response) => void response.json(body))

  router.all(`${BASE}/namespaces/:namespace/${RESOURCE}/:name`, get)
  router.all(`${BASE}/namespaces/:namespace/${RESOURCE}`, list)
  router.all(`${BASE}/${RESOURCE}`, list)
  router.all(BASE, document(apiResourceList))
  router.all(`/apis/${EVIDENCE_GROUP}`, document(apiGroup))
  router.all(
    '/apis',
    answer((request, response) => {
      const { type, body } = rootDiscovery(parseAccept(request.headers.accept))
      response.setHeader('vary', 'accept')
      response.setHeader('content-type', type)
      response.send(Buffer.from(JSON.stringify(body)))
    }),
  )
  router.all('/openapi/v2', document(openapiV2))
  router.all('/openapi/v3', document(openapiV3Root))
  router.all(OPENAPI_V3_PATH, document(openapiV3))
  router.use(
    answer(() => {
      throw new QueryError(404, 'NotFound', 'the server could not find the requested resource')
    }),
  )
  return router
}

import { QueryError } from './status.ts'

export interface MediaType {
  type: string
  params: Record<string, string | undefined>
}
export type Form = 'Object' | 'Table' | 'Metadata'

/** The media types of an Accept header in the client's order; those it gives no weight are left out. */
export const parseAccept = (header: string | undefined): MediaType[] =>
  (header ?? '*/*').split(',').flatMap((item) => {
    const [type = '', ...rest] = item.split(';').map((part) => part.trim())
    const params = Object.fromEntries(
      rest.map((p) => [p.slice(0, p.indexOf('=')).trim(), p.slice(p.indexOf('=') + 1).trim()]),
    )
    return Number(params.q) === 0 ? [] : [{ type: type.toLowerCase(), params }]
  })

const FORMS: Record<string, Form> = {
  Table: 'Table',
  PartialObjectMetadata: 'Metadata',
  PartialObjectMetadataList: 'Metadata',
}
const JSON_TYPES = ['application/json', 'application/*', '*/*']

/**
 * The first form the client accepts that is served: objects, a table (kubectl get), or metadata only; JSON always.
 * @throws QueryError 406
 */
export const negotiate = (accepted: MediaType[]): Form => {
  for (const { type, params } of accepted) {
    if (!JSON_TYPES.includes(type)) continue
    if (params.as === undefined) return 'Object'
    const form = FORMS[params.as]
    if (form && params.g === 'meta.k8s.io' && (params.v === 'v1' || params.v === 'v1beta1')) return form
  }
  throw new QueryError(406, 'NotAcceptable', 'only the following media types are accepted: application/json')
}

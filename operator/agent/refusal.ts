import type { ErrorCode } from '../../lib/core/errors.ts'
import { ApiError } from '../../lib/kube/errors.ts'

/**
 * What the API server said when it would not take the pod, as a code of the catalog; undefined for what is no refusal
 * (a conflict, an outage) and is simply tried again.
 */
export const refusalOf = (error: unknown): { code: ErrorCode; detail: string } | undefined => {
  if (!(error instanceof ApiError) || error.code === 409 || error.code === 429) return undefined
  const causes = error.status.details?.causes ?? []
  if (causes.some(({ reason }) => reason === 'NamespaceTerminating')) return undefined
  const webhook = /failed calling webhook/.test(error.message)
  if (error.code >= 500 && !webhook) return undefined
  const detail = error.message.trim().replace(/\.+$/, '').slice(0, 1000)
  if (/exceeded quota|failed quota|forbidden: maximum|must specify (limits|requests)/.test(detail))
    return { code: 'QuotaExceeded', detail }
  if (/RuntimeClass|violates PodSecurity/.test(detail)) return { code: 'SandboxRefused', detail }
  return { code: 'AdmissionRefused', detail }
}

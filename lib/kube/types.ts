/** The parts of Kubernetes objects this library itself reads. Source: Kubernetes API conventions, meta/v1. */

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** One entry of `metadata.managedFields`: what one manager owns by server-side apply. */
export interface ManagedFieldsEntry {
  manager?: string
  operation?: string
  apiVersion?: string
  time?: string
  fieldsType?: string
  fieldsV1?: object
  subresource?: string
}

export interface ObjectMeta {
  name: string
  namespace?: string
  generateName?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
  managedFields?: ManagedFieldsEntry[]
}

export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
}

export interface KubeList<T extends KubeObject> {
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number }
  items: T[]
}

/** meta/v1 Status: the body of every error the API server gives. */
export interface Status {
  kind?: 'Status'
  status?: string
  code?: number
  reason?: string
  message?: string
  details?: {
    name?: string
    kind?: string
    retryAfterSeconds?: number
    causes?: { reason?: string; message?: string; field?: string }[]
  }
}

type LogMethod = (fields: object, message: string) => void

/** What this library needs of a logger; pino's has this shape. Messages are constant, values are fields. */
export interface Logger {
  debug: LogMethod
  info: LogMethod
  warn: LogMethod
  error: LogMethod
}

/** `namespace/name`, or `name` alone for what is cluster-scoped: the only thing a controller is handed. */
export type Key = string

export const keyOf = (object: KubeObject): Key => makeKey(object.metadata.namespace, object.metadata.name)

export const makeKey = (namespace: string | undefined, name: string): Key => (namespace ? `${namespace}/${name}` : name)

export const splitKey = (key: Key): { namespace?: string; name: string } => {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

import type { Client, RequestOptions } from './client.ts'
import { create } from './objects.ts'
import { subjectAccessReviews } from './resources.ts'

/** A user as the API server tells of them: authentication.k8s.io/v1 UserInfo. */
export interface Subject {
  username: string
  uid?: string
  groups?: string[]
  extra?: Record<string, string[]>
}
/** authorization.k8s.io/v1 ResourceAttributes. */
export interface ResourceAttributes {
  verb: string
  group: string
  resource: string
  namespace?: string
  name?: string
}

/** Whether somebody may do something, by SubjectAccessReview. */
export const mayAccess = async (
  client: Client,
  { username, uid, groups, extra }: Subject,
  resourceAttributes: ResourceAttributes,
  options?: Pick<RequestOptions, 'timeoutMs'>,
): Promise<boolean> => {
  const spec = { user: username, uid, groups, extra, resourceAttributes }
  const { status } = await create(client, subjectAccessReviews, { metadata: { name: '' }, spec }, options)
  return status?.allowed === true && status.denied !== true
}

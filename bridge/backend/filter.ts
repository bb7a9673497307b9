import type { JsonObject } from '../../lib/core/json-rpc.ts'

/** The fields of a `subscriptions/listen` filter. */
export interface Filter {
  toolsListChanged?: boolean
  promptsListChanged?: boolean
  resourcesListChanged?: boolean
  resourceSubscriptions?: string[]
}

const LIST_CHANGED: Record<string, keyof Filter> = {
  'notifications/tools/list_changed': 'toolsListChanged',
  'notifications/prompts/list_changed': 'promptsListChanged',
  'notifications/resources/list_changed': 'resourcesListChanged',
}

/** Whether a filter asks for this notification. */
export const asksFor = (filter: Filter, message: JsonObject): boolean => {
  const method = String(message.method)
  const field = LIST_CHANGED[method]
  if (field) return filter[field] === true
  const uri = (message.params as JsonObject | undefined)?.uri
  return method === 'notifications/resources/updated' && (filter.resourceSubscriptions ?? []).includes(String(uri))
}

/** Of a filter, what a server with these capabilities can honor. */
export const honoredOf = (filter: Filter, capabilities: JsonObject): Filter => {
  const has = (part: string, feature: string) => (capabilities[part] as JsonObject | undefined)?.[feature] === true
  return {
    ...(filter.toolsListChanged && has('tools', 'listChanged') ? { toolsListChanged: true } : {}),
    ...(filter.promptsListChanged && has('prompts', 'listChanged') ? { promptsListChanged: true } : {}),
    ...(filter.resourcesListChanged && has('resources', 'listChanged') ? { resourcesListChanged: true } : {}),
    ...(filter.resourceSubscriptions?.length && has('resources', 'subscribe')
      ? { resourceSubscriptions: filter.resourceSubscriptions }
      : {}),
  }
}

const MAX_SUBSCRIPTIONS = 1_000

/** Reads a filter, or says in a phrase what is wrong with it. */
export const readFilter = (value: unknown): Filter | string => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'params.notifications must be an object'
  const filter = value as Record<string, unknown>
  for (const field of Object.values(LIST_CHANGED))
    if (filter[field] !== undefined && typeof filter[field] !== 'boolean')
      return `params.notifications.${field} must be true or false`
  const uris = filter.resourceSubscriptions
  if (
    uris !== undefined &&
    !(Array.isArray(uris) && uris.length <= MAX_SUBSCRIPTIONS && uris.every((uri) => typeof uri === 'string'))
  )
    return `params.notifications.resourceSubscriptions must be a list of at most ${MAX_SUBSCRIPTIONS} URIs`
  return filter as Filter
}

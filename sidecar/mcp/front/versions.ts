import type { IncomingMessage } from 'node:http'
import { META } from '../../../lib/api/mcp.ts'
import { isObject } from '../../../lib/core/json-rpc.ts'
import { versionsIn } from '../../../lib/core/mirror/version.ts'
import type { Message } from '../messages.ts'
import type { Era } from '../ports.ts'
import { isSupportedVersion } from '../revision.ts'

/** Versions are dates; the first without sessions is of 2026. */
const isModernDate = (version: string) => /^\d{4}-\d\d-\d\d$/.test(version) && version >= '2026'

/** Which era a request is of: by what it says of itself in its body, or else by its header. */
export const eraOfRequest = (request: IncomingMessage, message?: Message): Era => {
  const meta = message && message.kind !== 'response' ? message.params?._meta : undefined
  if (isObject(meta) && META.protocolVersion in meta) return 'modern'
  const versions = versionsIn(request.headersDistinct)
  return versions.some(isModernDate) && !versions.some(isSupportedVersion) ? 'modern' : 'legacy'
}

import { HEADER } from '../../api/mcp.ts'
import type { Headers } from './mirror.ts'

/** The versions that a request's headers name; some clients send theirs twice, which proxies write as a list. */
export const versionsIn = (headers: Headers): string[] =>
  (headers[HEADER.version] ?? []).flatMap((value) => value.split(',').map((version) => version.trim())).filter(Boolean)

/** Why the header of the version is not what the body says, as a phrase. */
export const versionProblem = (headers: Headers, version: string): string | undefined => {
  const named = versionsIn(headers)
  if (named.length === 0) return 'the header MCP-Protocol-Version is missing'
  return named.every((one) => one === version)
    ? undefined
    : 'the header MCP-Protocol-Version is not the version of the body'
}

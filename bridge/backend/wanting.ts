import { LOGGING_LEVELS } from '../../lib/api/mcp.ts'

/** The calls that asked for log messages of this level: a server does not say which call one belongs to. */
export const wanting = <T extends { logLevel: string | undefined }>(calls: Iterable<T>, level: unknown): T[] => {
  const at = LOGGING_LEVELS.indexOf(String(level))
  return [...calls].filter(({ logLevel }) => logLevel !== undefined && at >= LOGGING_LEVELS.indexOf(logLevel))
}

import { type LEGACY_VERSIONS, LOGGING_LEVELS, MODERN_VERSION } from '../../lib/api/mcp.ts'

type LegacyVersion = (typeof LEGACY_VERSIONS)[number]

/** The revisions with sessions that pass, newest first. */
export const PROTOCOL_VERSIONS: readonly [LegacyVersion, ...LegacyVersion[]] = ['2025-11-25', '2025-06-18']
export const isSupportedVersion = (version: unknown): boolean =>
  (PROTOCOL_VERSIONS as readonly unknown[]).includes(version)
/** All revisions the gate speaks, newest first. */
export const ALL_VERSIONS = [MODERN_VERSION, ...PROTOCOL_VERSIONS] as const

export const isLogLevel = (level: unknown): level is string => LOGGING_LEVELS.includes(level as string)
/** Whether a message of this level is to be told to who asked for messages from `wanted` on. */
export const reaches = (level: unknown, wanted: string): boolean =>
  LOGGING_LEVELS.indexOf(level as string) >= LOGGING_LEVELS.indexOf(wanted)

import pino from 'pino'

/** The shape every part logs through: constant messages, key-values beside them. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): Logger
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Key names that hold a secret wherever they turn up. */
const SECRET_PATHS = ['authorization', 'token', 'password', 'credential', 'privateKey'].flatMap((k) => [
  k,
  `*.${k}`,
  `headers.${k}`,
])

/**
 * JSON lines on standard error, so that standard output stays a command's own. `write` takes
 * the lines instead (tests, the demo). What belongs to a trace is logged through a child with `trace_id`.
 */
export const createLogger = (options: { part: string; level?: LogLevel; write?: (line: string) => void }): Logger =>
  pino(
    {
      level: options.level ?? 'info',
      base: { part: options.part },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    options.write ? { write: options.write } : pino.destination({ dest: 2, sync: true }),
  )

/** One setting: where it comes from, how its text becomes a value, and what a person reads when it is wrong. */
export interface Setting<T> {
  env: string
  /** Used when the variable is absent or empty; a setting without one is required. */
  default?: T
  /** Throws an Error whose message says what the value must be. */
  parse: (text: string) => T
  /** The value is never shown. */
  secret?: boolean
}
type Settings = Record<string, Setting<unknown>>
type Values<S extends Settings> = { [K in keyof S]: S[K] extends Setting<infer T> ? T : never }

export const text =
  () =>
  (value: string): string =>
    value
export const integer =
  (min: number, max: number) =>
  (value: string): number => {
    const number = Number(value)
    if (!/^-?\d+$/.test(value) || number < min || number > max)
      throw new Error(`must be a whole number from ${min} to ${max}`)
    return number
  }
export const oneOf =
  <T extends string>(...allowed: readonly T[]) =>
  (value: string): T => {
    if (!(allowed as readonly string[]).includes(value)) throw new Error(`must be one of ${allowed.join(', ')}`)
    return value as T
  }
export const flag =
  () =>
  (value: string): boolean =>
    oneOf('true', 'false')(value) === 'true'
export const url =
  (...protocols: string[]) =>
  (value: string): string => {
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol))
      throw new Error(`must be a URL (${protocols.join(' or ')})`)
    return value
  }
export const json =
  <T>(check: (value: unknown) => value is T, shape: string) =>
  (value: string): T => {
    let parsed: unknown
    try {
      parsed = JSON.parse(value)
    } catch {
      throw new Error(`must be JSON: ${shape}`)
    }
    if (!check(parsed)) throw new Error(`must be ${shape}`)
    return parsed
  }

/** Thrown once, with every setting that is wrong. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/** Reads all settings or none: every problem is collected, each with its variable, its value and the fix. */
export const readConfig = <S extends Settings>(settings: S, env: Record<string, string | undefined>): Values<S> => {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(settings)) {
    const value = env[setting.env]
    if (value === undefined || value === '') {
      if ('default' in setting) values[key] = setting.default
      else problems.push(`${setting.env} is not set`)
      continue
    }
    try {
      values[key] = setting.parse(value)
    } catch (error) {
      const shown = setting.secret ? '' : ` is ${JSON.stringify(value.slice(0, 80))}, but`
      problems.push(`${setting.env}${shown} ${(error as Error).message}`)
    }
  }
  if (problems.length) throw new ConfigError(`the settings are wrong:\n  ${problems.join('\n  ')}`)
  return values as Values<S>
}

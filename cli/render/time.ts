/** 2026-11-21 02:00:13 UTC */
export const instant = (time: string | number): string =>
  `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** "90s", "15m", "1h", "7d" in milliseconds; undefined for anything else. */
export const duration = (text: string): number | undefined => {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  return count && unit ? Number(count) * (UNITS[unit] as number) : undefined
}

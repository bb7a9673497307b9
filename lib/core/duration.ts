const MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
export const MAX_DURATION_MS = 31 * MS.d

/** "10m", "24h", "1h30m" in milliseconds; undefined for anything else, for nothing at all and for more than 31 days. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:[0-9]{1,6}[smhd])+$/.test(text)) return undefined
  let ms = 0
  for (const [, count, unit] of text.matchAll(/([0-9]+)([smhd])/g)) ms += Number(count) * MS[unit as keyof typeof MS]
  return ms > 0 && ms <= MAX_DURATION_MS ? ms : undefined
}

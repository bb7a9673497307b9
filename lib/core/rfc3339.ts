const FORM = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

/** An RFC 3339 time in milliseconds since the epoch; undefined for any other text, and for a day that there is not. */
export const rfc3339 = (text: string): number | undefined => {
  const [, day, time, fraction = '', zone = ''] = FORM.exec(text) ?? []
  if (day === undefined) return undefined
  const ms = Date.parse(`${day}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`)
  // Date takes 30 February for 2 March.
  const real = Date.parse(`${day}T00:00:00Z`)
  return Number.isNaN(ms) || Number.isNaN(real) || !new Date(real).toISOString().startsWith(day) ? undefined : ms
}

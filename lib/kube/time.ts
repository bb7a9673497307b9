/** meta/v1 Time: RFC 3339 in whole seconds. `ms` since the Unix epoch. */
export const timeOf = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')

/** meta/v1 MicroTime: RFC 3339 with six decimals, which the server insists on. `ms` since the Unix epoch. */
export const microTimeOf = (ms: number): string => new Date(ms).toISOString().replace(/(\.\d{3})Z$/, '$1000Z')

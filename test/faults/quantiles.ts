/** Median and 99th percentile, in the unit of what was measured; 0 of nothing. */
export interface Quantiles {
  p50: number
  p99: number
  count: number
}

export const quantiles = (values: readonly number[]): Quantiles => {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99), count: sorted.length }
}

import { oneLine } from './one-line.ts'

/** Rows as kubectl prints them: upper-case headings, columns three spaces apart, nothing after the last. */
export const table = (headings: string[], rows: string[][]): string => {
  const all = [headings, ...rows.map((row) => row.map(oneLine))]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
}

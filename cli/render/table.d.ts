/** Rows as kubectl prints them: upper-case headings, columns three spaces apart, nothing after the last. */
export declare const table: (headings: string[], rows: string[][]) => string

/** 2026-11-21 02:00:13 UTC */
export declare const instant: (time: string | number) => string
/** 45s, 12m, 3h, 2d: as kubectl prints an age. */
export declare const age: (ms: number) => string
/** "90s", "15m", "1h", "7d" in milliseconds; undefined for anything else. */
export declare const duration: (text: string) => number | undefined

import { readFileSync } from 'node:fs'

/** Proportional set size of a process, MiB: its own memory and its share of what it shares. Throws when it is gone. */
export const pss = (pid: number): number =>
  Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024

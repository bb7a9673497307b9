import { readFileSync } from 'node:fs'
import { pss } from '../bench/support/pss.ts'

/** Seconds of processor time that a process has used. */
export const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name may hold spaces and brackets; what follows its last bracket is counted from the third field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const TICKS = 100
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** The most resident memory a process ever had, MiB, as the kernel keeps it. */
const peakResident = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

export interface Peak {
  /** MiB; `resident` is the kernel's own mark, `proportional` the largest of samples four times a second. */
  resident: number
  proportional: number
}

/** Watches the memory of processes that come and go under one name; call the answer's `add` for each new one. */
export const watchMemory = () => {
  const running = new Map<string, number>()
  const peaks = new Map<string, Peak>()
  const sample = () => {
    for (const [name, pid] of running) {
      try {
        const before = peaks.get(name) ?? { resident: 0, proportional: 0 }
        peaks.set(name, {
          resident: Math.max(before.resident, peakResident(pid)),
          proportional: Math.max(before.proportional, pss(pid)),
        })
      } catch {
        // It has ended; what was seen of it stands.
        running.delete(name)
      }
    }
  }
  const timer = setInterval(sample, 250)
  return {
    add: (name: string, pid: number) => void running.set(name, pid),
    peak: (name: string): Peak => {
      sample()
      return peaks.get(name) ?? { resident: Number.NaN, proportional: Number.NaN }
    },
    stop: () => clearInterval(timer),
  }
}

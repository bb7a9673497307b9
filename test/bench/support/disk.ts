import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'

const LINE = Buffer.alloc(1024, 'x')

/** What the disk alone takes to keep one receipt: milliseconds of `times` appends of 1 KiB, each synced, ascending. */
export const syncedAppends = (file: string, times: number): number[] => {
  const fd = openSync(file, 'a')
  try {
    return Array.from({ length: times }, () => {
      const began = performance.now()
      writeSync(fd, LINE)
      fdatasyncSync(fd)
      return performance.now() - began
    }).sort((a, b) => a - b)
  } finally {
    closeSync(fd)
  }
}

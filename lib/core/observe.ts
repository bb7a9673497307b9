import type { Json } from './strict.ts'

/** The scalars seen at one path of a tool's arguments, over all of its calls. */
export interface Seen {
  /** "notify[*].email" */
  path: string
  values: (string | number | boolean)[]
}

/**
 * Every path of scalars in the arguments given, sorted by path. Members whose names a path cannot spell, and null, are
 * left out.
 */
export function scalarsByPath(all: Json[]): Seen[] {
  const seen = new Map<string, Seen['values']>()
  const walk = (value: Json, path: string): void => {
    if (Array.isArray(value)) {
      for (const element of value) walk(element, `${path}[*]`)
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value)) {
        if (/^[^.[\]\s*]+$/.test(key)) walk(member, path === '' ? key : `${path}.${key}`)
      }
    } else if (value !== null && path !== '' && !path.startsWith('[')) {
      const values = seen.get(path) ?? []
      values.push(value)
      seen.set(path, values)
    }
  }
  for (const args of all) walk(args, '')
  return [...seen].map(([path, values]) => ({ path, values })).sort((a, b) => (a.path < b.path ? -1 : 1))
}

import { readFileSync } from 'node:fs'

/** Content of a credential's file as it is now (a rotated Secret replaces it); undefined when there is none. */
export const readCredential = (path: string | undefined): string | undefined => {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}

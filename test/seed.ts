import fc from 'fast-check'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of everything that properties are tried with. */
    seed: number
  }
}

// Before every test file. What fails tells the seed and the path that lead to it again.
fc.configureGlobal({ seed: inject('seed') })

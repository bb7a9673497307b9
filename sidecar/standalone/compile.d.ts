import type { Remit, RemitModel, RemitServer } from '../../lib/api/remit.ts'
import { type PolicyFiles } from './files.ts'
export declare const STANDALONE = 'standalone'
export interface StandaloneInput {
  files: PolicyFiles
  servers: RemitServer[]
  models: RemitModel[]
  /** Who answers for the agent when no OwnerGroup is given. */
  owner: string
  /** Who started the agent. */
  user: string
  /** Milliseconds since the epoch: time and generation of the remit. */
  at: number
  startedAt: number
}
/** The remit a cluster's operator would make of the files, for the one agent of this gate. Throws UserError. */
export declare const compileStandalone: (input: StandaloneInput) => Remit

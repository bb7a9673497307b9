import { isDeepStrictEqual } from 'node:util'
import type { RemitServer } from '../../../lib/api/remit.ts'
import type { GateContext } from '../../context.ts'

/** Whether the remit in force has this very server: of one that it has no more, or has elsewhere, nothing is heard. */
export const isStillDeclared = ({ authority }: Pick<GateContext, 'authority'>, server: RemitServer): boolean =>
  authority.current()?.remit.servers.some((declared) => isDeepStrictEqual(declared, server)) === true

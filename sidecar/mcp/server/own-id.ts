import { randomBytes } from 'node:crypto'

const OURS = `dev.remit/${randomBytes(16).toString('base64url')}`
let asked = 0

/** A request id that no agent can have chosen, so that the gate's requests and the agent's never meet at a server. */
export const ownId = (): string => `${OURS}/${++asked}`

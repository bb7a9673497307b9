import type { ToolClass } from '../lib/api/gen/types.ts'
import { type Redactions, redactionsOf, redactionsOfServer } from '../lib/core/redact.ts'
import type { InForce } from './authority.ts'

const ALL: Redactions = { arguments: [[]], results: [[]], recorded: [[]] }

/** What of a tool is redacted; under a remit that this version does not know, all that could be. */
export const redactionsIn = (
  { remit, prepared }: InForce,
  server: string,
  tool: string,
  cls?: ToolClass | undefined,
): Redactions =>
  prepared.unknown && remit.redactions ? ALL : redactionsOf({ remit, ruleClass: prepared.ruleClass }, server, tool, cls)

/** As {@link redactionsIn}, of what is no tool: resources, prompts, and what server and agent ask each other. */
export const serverRedactionsIn = ({ remit, prepared }: InForce, server: string): Redactions =>
  prepared.unknown && remit.redactions ? ALL : redactionsOfServer({ remit, ruleClass: prepared.ruleClass }, server)

import { type Receipt, receiptName } from '../../lib/api/receipt.ts'
import { catalog, describe, type ErrorCode } from '../../lib/core/errors.ts'
import type { IntentReceipt } from '../evidence/source.ts'
import { callLine, outcome } from './call.ts'
import { oneLine } from './one-line.ts'
import { recordLine } from './record.ts'
import { instant } from './time.ts'

const EFFECTS = { Allow: 'Allowed', Ask: 'Waiting for a person', Deny: 'Denied', Draft: 'Drafted' }

const remedy = (intent: IntentReceipt['body']): string | undefined => {
  const { code, rule, policy } = intent.decision
  if (!code || !(code in catalog)) return undefined
  return describe(code as ErrorCode, {
    rule: rule ?? 'a rule',
    policy: policy ?? 'the policy',
    who: intent.owner.onCall.join(', '),
    agent: `${intent.agent.name} -n ${intent.agent.namespace}`,
  }).remedy
}

/** Who, what, why, under which rule and what came of it: at most twenty lines for the person paged at 2 a.m. */
export const renderWhy = (receipt: IntentReceipt, closing: Receipt | undefined, timelineCommand: string): string => {
  const { envelope, body } = receipt
  const { agent, owner, call, decision, stated } = body
  const rows: [string, string | undefined][] = [
    ['Receipt', `${receiptName(envelope)}, ${instant(envelope.time)}`],
    ['', ''],
    [
      'Who',
      `${agent.name} in ${agent.namespace}, started by ${agent.createdBy.username} on ${instant(agent.createdBy.at)}`,
    ],
    ['On call', `${owner.onCall.join(', ') || 'nobody'} of ${owner.group}, at that time`],
    ['What', callLine(call, 160)],
    ['Begun by', call.type === 'task' ? call.intent : undefined],
    ['Stated', stated && `${[stated.task, stated.reason].filter(Boolean).join(': ')} (the agent's own words)`],
    ['', ''],
    ['Decision', `${EFFECTS[decision.effect]}. ${decision.reason}`],
    ['Rule', decision.rule ? `${decision.rule} in ${decision.policy}` : 'none: what no rule allows is denied'],
    [
      'Observed',
      decision.observed && `would be ${EFFECTS[decision.observed.effect].toLowerCase()}: ${decision.observed.reason}`,
    ],
    ['Outcome', `${outcome(body, closing)}${durationOf(closing)}`],
    [
      'Answer',
      closing?.body.kind === 'result' && closing.body.text
        ? JSON.stringify(closing.body.text.slice(0, 160))
        : undefined,
    ],
    ['', ''],
    ['Remit', `generation ${body.remit.generation}, sha256 ${body.remit.digest.slice(0, 16)}…`],
    ['Trace', body.trace?.traceId],
    ['Record', `number ${envelope.seq} of ${envelope.incarnation}; ${recordLine(receipt)}`],
    ['', ''],
    ['Change it', remedy(body)],
    ['See more', timelineCommand],
  ]
  return rows
    .filter((row): row is [string, string] => (row[1] !== undefined && row[1] !== '') || row[0] === '')
    .map(([label, value]) => (label ? `${label.padEnd(9)} ${oneLine(value)}` : ''))
    .join('\n')
}

const durationOf = (closing: Receipt | undefined): string =>
  closing?.body.kind === 'result' ? `, after ${closing.body.durationMs} ms` : ''

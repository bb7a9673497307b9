import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { IntentBody, Receipt, ResultBody } from '../../lib/api/receipt.ts'
import { receiptName } from '../../lib/api/receipt.ts'
import { SECRET } from './values.ts'

/** A call of an agent as the gate recorded it. */
export interface Recorded {
  name: string
  /** When it was sent by its agent; milliseconds since the epoch. */
  sentAt: number
  /** When its receipt was sealed: after it was decided, and a slow disk can make that long after. */
  at: number
  intent: IntentBody
  call: Extract<IntentBody['call'], { type: 'tool' }>
  result?: ResultBody
}
export interface Record {
  /** In the order in which they were decided. */
  calls: Recorded[]
  freezes: number
  /** Lines that hold what a policy redacts. */
  leaks: string[]
}

/**
 * Everything that a gate recorded in its directory.
 * @param sentAt by name of the receipt, where an agent was told it
 */
export const readRecord = async (dir: string, sentAt: Map<string, number>): Promise<Record> => {
  const calls = new Map<string, Recorded>()
  const record: Record = { calls: [], freezes: 0, leaks: [] }
  const files = readdirSync(dir)
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
  for (const file of files) {
    for await (const line of linesOf(join(dir, file))) {
      if (line === '') continue
      if (line.includes(SECRET)) record.leaks.push(line.slice(0, 600))
      const { envelope, body } = JSON.parse(line) as Receipt
      if (body.kind === 'intent' && body.call.type === 'tool') {
        const name = receiptName(envelope)
        const sent = sentAt.get(name) ?? Number.NEGATIVE_INFINITY
        calls.set(name, { name, sentAt: sent, at: Date.parse(envelope.time), intent: body, call: body.call })
      } else if (body.kind === 'result') {
        const call = calls.get(body.intent)
        if (call !== undefined) call.result = body
      } else if (body.kind === 'escalation') record.freezes++
    }
  }
  record.calls.push(...calls.values())
  return record
}

/** Split at line feeds alone: other readers of lines also take U+2028, which stands in texts, for the end of one. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  yield rest
}

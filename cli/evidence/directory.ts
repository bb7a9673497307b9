import { existsSync, readFileSync } from 'node:fs'
import { type Receipt, receiptName } from '../../lib/api/receipt.ts'
import { UserError } from '../../lib/core/errors.ts'
import { listSegments } from '../../sidecar/spool/files.ts'
import { isClosing, isIntent, type ReceiptSource } from './source.ts'

/** A line that is not whole yet is one the gate is writing at this moment. */
const parse = (line: string): Receipt[] => {
  try {
    return [JSON.parse(line) as Receipt]
  } catch {
    return []
  }
}

/** Receipts of the directory that `kubectl-remit gate --data DIR` writes. @throws UserError NotFound */
export const directoryReceipts = (dir: string): ReceiptSource => {
  if (!existsSync(dir)) throw new UserError('NotFound', { what: `The directory ${dir}` })
  const all = () =>
    listSegments(dir).flatMap(({ path }) => readFileSync(path, 'utf8').split('\n').filter(Boolean).flatMap(parse))
  return {
    list: async ({ since }) => {
      const from = since ? Date.parse(since) : 0
      return all().filter((receipt) => Date.parse(receipt.envelope.time) >= from)
    },
    get: async (name) => {
      const receipts = all()
      const receipt = receipts.find((candidate) => receiptName(candidate.envelope) === name)
      if (!receipt) throw new UserError('NotFound', { what: `The receipt ${name} in ${dir}` })
      const result = isIntent(receipt) ? receipts.find((r) => isClosing(r) && r.body.intent === name) : undefined
      return { receipt, result }
    },
    timelineCommand: () => `kubectl-remit timeline --data ${dir}`,
  }
}

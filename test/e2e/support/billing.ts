import { ok } from './kubectl.ts'

/** One call as the billing server was really given it. */
export interface JournalEntry {
  at: string
  tool: string
  arguments: Record<string, unknown>
  traceparent?: string
}

const readAll = (file: string) => `process.stdout.write(require('fs').readFileSync('/books/${file}', 'utf8'))`

const inBilling = (namespace: string, program: string) =>
  ok(['exec', '-n', namespace, 'deploy/billing-mcp', '--', '/usr/bin/node', '-e', program])

/** The server's own journal: what reached the world outside, whatever Remit says of it. */
export const journalOf = async (namespace: string): Promise<JournalEntry[]> => {
  const text = await inBilling(
    namespace,
    `try { ${readAll('calls.ndjson')} } catch (error) { if (error.code !== 'ENOENT') throw error }`,
  )
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as JournalEntry)
}

/** What an invoice says in the books: euros paid back so far. */
export const refundedOf = async (namespace: string, invoice: string): Promise<number> => {
  const invoices = JSON.parse(await inBilling(namespace, readAll('invoices.json'))) as {
    id: string
    refunded: number
  }[]
  return invoices.find(({ id }) => id === invoice)?.refunded ?? Number.NaN
}

export const traceIdOf = ({ traceparent }: JournalEntry): string => traceparent?.split('-')[1] ?? ''

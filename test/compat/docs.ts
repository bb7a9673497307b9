import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CompatClient } from './clients.ts'

const LANGUAGES: Record<string, string> = { ts: 'ts', py: 'python', go: 'go', rs: 'rust', java: 'java' }

/** Lines without the indentation that all of them have. */
const dedent = (lines: string[]): string[] => {
  const indents = lines.filter((line) => line.trim()).map((line) => line.length - line.trimStart().length)
  const least = Math.min(...indents)
  return lines.map((line) => line.slice(least))
}

/** What stands between the marks of a client's script, as a block of Markdown. Throws when there is nothing. */
export const snippetOf = ({ script }: Pick<CompatClient, 'script'>): string => {
  const lines = readFileSync(join(import.meta.dirname, 'clients', script), 'utf8').split('\n')
  const parts: string[] = []
  for (let begin = lines.findIndex((line) => line.includes('docs:begin')); begin >= 0; ) {
    const end = lines.findIndex((line, index) => index > begin && line.includes('docs:end'))
    if (end < 0) throw new Error(`${script} has docs:begin without docs:end`)
    parts.push(...dedent(lines.slice(begin + 1, end)))
    begin = lines.findIndex((line, index) => index > end && line.includes('docs:begin'))
  }
  const text = parts.join('\n').trim()
  if (!text) throw new Error(`${script} marks no lines`)
  return `\`\`\`${LANGUAGES[script.split('.').at(-1)!]}\n${text}\n\`\`\``
}

/**
 * A matcher of whole names for a pattern in which `*` stands for any run of characters, none included. Case-sensitive;
 * nothing else is special. Runs in linear time for any pattern.
 */
export function glob(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*')
  if (parts.length === 1) return (name) => name === pattern
  const first = parts[0] as string
  const last = parts[parts.length - 1] as string
  const middle = parts.slice(1, -1)
  return (name) => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
    const end = name.length - last.length
    let at = first.length
    for (const part of middle) {
      const found = name.indexOf(part, at)
      if (found < 0 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}

/** What is wrong with a pattern of server or tool names, or undefined. */
export function globProblem(pattern: string): string | undefined {
  if (pattern === '') return 'is empty'
  if (pattern.length > 256) return 'is longer than 256 characters'
  if (!/^[A-Za-z0-9_./*-]+$/.test(pattern)) return 'has a character that names cannot have; only * is a wildcard'
  return undefined
}

/** Whether a tool name can be decided on at all; others are refused before any rule is looked at. */
export const isToolName = (name: string): boolean => name.length <= 128 && /^[A-Za-z0-9_./-]+$/.test(name)

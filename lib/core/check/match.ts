import type { Match } from '../../api/gen/types.ts'
import { CLASSES } from '../class.ts'
import { globProblem, isToolName } from '../glob.ts'
import type { Problems } from '../problem.ts'
import { checkWord, isShape, unknownKeys } from './shape.ts'

const MATCH_KEYS = new Set(['servers', 'tools', 'classes'])
const EXAMPLE = '{servers: [billing], tools: ["get_*"]}'

export function checkMatch(match: Match | undefined, field: string, found: Problems): void {
  if (match !== undefined && !isShape(match, field, EXAMPLE, found)) return
  unknownKeys(match ?? {}, MATCH_KEYS, field, found)
  if (match?.servers === undefined && match?.tools === undefined && match?.classes === undefined) {
    const detail = 'names neither servers nor tools nor classes'
    found.at(field, match, 'PolicyInvalid', detail, 'Add tools: ["*"] if every tool is meant.')
    return
  }
  for (const key of ['servers', 'tools', 'classes'] as const) {
    const list = match[key]
    if (list === undefined) continue
    if (!Array.isArray(list) || list.length === 0) {
      const fix = `Leave ${key} out to match all, or list names.`
      found.at(`${field}.${key}`, list, 'PolicyInvalid', 'lists nothing', fix)
      continue
    }
    for (const [index, name] of list.entries()) {
      const at = `${field}.${key}[${index}]`
      if (key === 'classes') checkWord(name, CLASSES, 'a class', at, found)
      else checkGlob(name, at, found)
    }
  }
}

function checkGlob(pattern: unknown, field: string, found: Problems): void {
  const problem = typeof pattern === 'string' ? globProblem(pattern) : 'is not a text'
  if (problem === undefined) return
  found.at(field, pattern, 'PolicyInvalid', problem, 'Write a name; * stands for any characters.')
}

const isServerName = (name: string): boolean => /^[a-z0-9-]{1,63}$/.test(name)

export function checkServerName(name: unknown, field: string, found: Problems): void {
  if (typeof name === 'string' && isServerName(name)) return
  const fix = "Write its name in the AgentIdentity's spec.servers, such as billing."
  found.at(field, name, 'PolicyInvalid', 'is not the name of a server', fix)
}

export function checkToolName(name: unknown, field: string, found: Problems): void {
  if (typeof name === 'string' && name !== '' && isToolName(name)) return
  found.at(field, name, 'PolicyInvalid', 'is not the name of a tool', 'Write the name in tools/list, such as refund.')
}

/** "server/tool": one server, and one tool or, where `globs`, those that a pattern fits. */
export function checkServerTool(text: unknown, globs: boolean, field: string, found: Problems): void {
  const slash = typeof text === 'string' ? text.indexOf('/') : -1
  if (typeof text === 'string' && slash > 0 && isServerName(text.slice(0, slash))) {
    const tool = text.slice(slash + 1)
    if (globs ? globProblem(tool) === undefined : tool !== '' && isToolName(tool)) return
  }
  const fix = `Write the server's name, a slash and the tool's name${globs ? ', which may have *' : ''}: billing/get_invoice.`
  found.at(field, text, 'PolicyInvalid', 'is not a server and a tool', fix)
}

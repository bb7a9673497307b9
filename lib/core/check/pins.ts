import type { Pin } from '../../api/gen/types.ts'
import { isObject } from '../json-rpc.ts'
import { definitionDigest } from '../pin.ts'
import type { Problems } from '../problem.ts'
import { checkServerName, checkToolName } from './match.ts'
import { isShape, unknownKeys } from './shape.ts'

const KEYS = new Set(['server', 'tool', 'digest', 'definition'])
const WRITE_ANEW = 'Let kubectl remit policy pin write it.'

export function checkPins(pins: Pin[], field: string, found: Problems): void {
  const seen = new Set<string>()
  pins.forEach((pin, index) => {
    const at = `${field}[${index}]`
    if (!isShape(pin, at, '{server: billing, tool: refund, digest: "sha256:..."}', found)) return
    unknownKeys(pin, KEYS, at, found)
    checkServerName(pin.server, `${at}.server`, found)
    checkToolName(pin.tool, `${at}.tool`, found)
    const name = `${pin.server}/${pin.tool}`
    if (seen.has(name)) found.at(`${at}.tool`, name, 'PolicyInvalid', 'is pinned twice', 'Keep one of the two.')
    seen.add(name)
    if (typeof pin.digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(pin.digest)) {
      found.at(`${at}.digest`, pin.digest, 'PolicyInvalid', 'is not "sha256:" and 64 hex digits', WRITE_ANEW)
    } else if (pin.definition !== undefined) checkDefinition(pin, `${at}.definition`, found)
  })
}

/** A definition that is not the digest's would explain drift, and validate arguments, by a tool nobody pinned. */
function checkDefinition({ tool, digest, definition }: Pin, field: string, found: Problems): void {
  if (!isObject(definition)) {
    found.at(field, definition, 'PolicyInvalid', 'is not a tool as in tools/list', WRITE_ANEW)
    return
  }
  if (definition.name !== tool) {
    found.at(`${field}.name`, definition.name, 'PolicyInvalid', `is not the pinned tool ${tool}`, WRITE_ANEW)
    return
  }
  const { inputSchema } = definition
  if (inputSchema !== undefined && !isObject(inputSchema)) {
    found.at(`${field}.inputSchema`, inputSchema, 'PolicyInvalid', 'is not a schema', WRITE_ANEW)
    return
  }
  const actual = digestOf(definition)
  if (actual === undefined) {
    found.at(field, undefined, 'PolicyInvalid', 'cannot be written as RFC 8785 JSON', WRITE_ANEW)
  } else if (actual !== digest) {
    const fix = `If the definition is what you looked at, write ${actual}; else let kubectl remit policy pin write both.`
    found.at(field.replace(/definition$/, 'digest'), digest, 'PolicyInvalid', 'is not the digest of definition', fix)
  }
}

function digestOf(definition: Record<string, unknown>): string | undefined {
  try {
    return definitionDigest(definition)
  } catch {
    return undefined
  }
}

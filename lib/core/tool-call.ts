import type { ToolDefinition } from '../api/gen/types.ts'
import type { ReadObject } from './rule/check.ts'
import type { Json } from './strict.ts'

/** One tool call to be decided. */
export interface ToolCall {
  server: string
  tool: string
  /** As parsed by parseStrict; nothing is coerced. */
  arguments: Json
  /** The tool as its server declares it now (an element of tools/list); 'pinned': taken to be as pinned. */
  definition?: ToolDefinition | 'pinned' | undefined
  /** What was read for it; see objectsNeeded. */
  objects?: ReadObject[] | undefined
}

import type { RequestId } from '../../lib/api/mcp.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'

/** A request of 2026-07-28, its envelope found whole. */
export interface ModernRequest {
  id: RequestId
  method: string
  params: JsonObject
  version: string
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GateContext } from '../context.ts'
/** The models' side of the gate: `/llm/<name>/...` goes to the declared URL with the declared credential. */
export declare const createModelHandler: (
  gate: GateContext,
) => (request: IncomingMessage, response: ServerResponse, name: string, rest: string, query: string) => Promise<void>

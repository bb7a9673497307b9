import type { ServerResponse } from 'node:http'
import type { RemitModel } from '../../lib/api/remit.ts'
import type { ErrorCode } from '../../lib/core/errors.ts'
import { RECEIPT_HEADER } from '../mcp/reply.ts'

type Api = RemitModel['api'] | undefined

/** An error in the shape the API's own clients read. */
export const errorBody = (api: Api, code: ErrorCode, message: string): string =>
  JSON.stringify(
    api === 'Anthropic'
      ? { type: 'error', error: { type: 'remit_error', message, code } }
      : { error: { message, type: 'remit_error', param: null, code } },
  )

/** Answers with an error; one that comes after the answer has begun ends the connection. */
export const refusing =
  (response: ServerResponse) =>
  (status: number, api: Api, code: ErrorCode, message: string, receipt?: string): undefined => {
    if (response.headersSent) {
      response.destroy()
      return
    }
    const named = receipt ? { [RECEIPT_HEADER]: receipt } : {}
    response.writeHead(status, { 'content-type': 'application/json', ...named })
    response.end(errorBody(api, code, message))
  }

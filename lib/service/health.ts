import { createServer } from 'node:http'
import { listen } from './listen.ts'
import type { Logger } from './log.ts'

/** `true`, or why not, in a word or two that a person reads in `kubectl describe`. */
export type Check = () => true | string

/**
 * GET /livez (is the process answering) and GET /readyz (do all checks hold: 200 "ok", else 503 with the names and
 * reasons of those that do not). Port 0 takes a free one.
 */
export const startHealth = async (options: {
  host: string
  port: number
  checks: Record<string, Check>
  log: Pick<Logger, 'warn'>
}) => {
  const failing = () =>
    Object.entries(options.checks).flatMap(([name, check]) => {
      const result = check()
      return result === true ? [] : [`${name}: ${result}`]
    })
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0]
    if (request.method !== 'GET' || (path !== '/livez' && path !== '/readyz')) {
      response.writeHead(404).end()
      return
    }
    const problems = path === '/readyz' ? failing() : []
    response.writeHead(problems.length ? 503 : 200, { 'content-type': 'text/plain' })
    response.end(problems.length ? `${problems.join('\n')}\n` : 'ok\n')
  })
  const { port, close } = await listen(server, options)
  return { port, close: () => close(0) }
}

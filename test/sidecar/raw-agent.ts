import { connect } from 'node:net'

export const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** One POST as bare bytes allow it. */
export const post = (url: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { ...HEADERS, ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })

export const message = (id: number | string | undefined, method: string, params?: object): string =>
  JSON.stringify({ jsonrpc: '2.0', ...(id === undefined ? {} : { id }), method, ...(params ? { params } : {}) })

/** The headers of an initialized session. */
export const openSession = async (url: string, version = '2025-11-25'): Promise<Record<string, string>> => {
  const response = await post(
    url,
    message(0, 'initialize', {
      protocolVersion: version,
      capabilities: { sampling: {}, roots: {} },
      clientInfo: { name: 'raw', version: '1' },
    }),
  )
  await response.text()
  const session = { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': version }
  await post(url, message(undefined, 'notifications/initialized'), session)
  return session
}

/** Sends the bytes of one request in the given pieces, with a pause between them; resolves with the whole answer. */
export const sendSlowly = (port: number, pieces: Buffer[], pauseMs: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
    socket.on('connect', async () => {
      for (const piece of pieces) {
        socket.write(piece)
        await new Promise((next) => setTimeout(next, pauseMs))
      }
    })
  })

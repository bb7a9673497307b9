/** The desk server of the matrix, a process of its own. ERA (legacy or modern), PORT and JOURNAL say how and where. */
import { createServer } from 'node:http'
import { legacyDesk } from './legacy.ts'
import { modernDesk } from './modern.ts'

const { ERA: era, PORT: port, HOST: host = '127.0.0.1', JOURNAL: journal } = process.env
if (!port || !journal || (era !== 'legacy' && era !== 'modern')) {
  console.error('ERA (legacy or modern), PORT and JOURNAL must be set')
  process.exit(2)
}
const desk = (era === 'modern' ? modernDesk : legacyDesk)(journal)
createServer((request, response) => {
  if (request.url === '/mcp') return desk(request, response)
  return response.writeHead(404).end()
}).listen(Number(port), host, () => console.log(`the ${era} desk listens on ${port}`))
process.on('SIGTERM', () => process.exit(0))

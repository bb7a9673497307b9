import { StringDecoder } from 'node:string_decoder'

/** One watch event is one line; an object is at most about 1.5 MiB in etcd, so this is no event of ours. */
const maxLineBytes = 32 * 1024 * 1024

/**
 * Cuts a byte stream into lines, whatever the chunk boundaries, also inside a UTF-8 character.
 * A last line without its newline was cut by the connection and is dropped.
 * @throws Error when a line is longer than 32 MiB.
 */
export async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, void> {
  const decoder = new StringDecoder('utf8')
  let parts: string[] = []
  let size = 0
  for await (const chunk of chunks) {
    let rest = decoder.write(chunk)
    for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n')) {
      parts.push(rest.slice(0, at))
      const line = parts.join('')
      parts = []
      size = 0
      rest = rest.slice(at + 1)
      if (line.trim() !== '') yield line
    }
    size += rest.length
    if (size > maxLineBytes) throw new Error('a line of the watch is longer than 32 MiB')
    if (rest !== '') parts.push(rest)
  }
}

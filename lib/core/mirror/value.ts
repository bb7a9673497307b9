const BEGIN = '=?base64?'
const END = '?='
/** What a header holds as it is: visible ASCII, and spaces and tabs inside. */
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/

const isMarked = (text: string): boolean => text.startsWith(BEGIN) && text.endsWith(END)

/** A value as a header holds it. */
export const encodeValue = (value: string): string =>
  PLAIN.test(value) && !isMarked(value) ? value : `${BEGIN}${Buffer.from(value, 'utf8').toString('base64')}${END}`

/** The value that a header holds, encoded or, where it can be, as it is; undefined when the header is neither. */
export const decodeValue = (header: string): string | undefined => {
  if (header === '') return ''
  if (!PLAIN.test(header)) return undefined
  // In `=?base64?=` the markers share a character: it holds nothing that could be decoded.
  if (!isMarked(header) || header.length < BEGIN.length + END.length) return header
  const given = header.slice(BEGIN.length, -END.length)
  const bytes = Buffer.from(given, 'base64')
  if (bytes.toString('base64') !== given) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

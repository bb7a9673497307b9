/** Longest URI that is decided on, in characters. */
export const MAX_URI = 2_048

/** Schemes whose URIs have one normal form, by the WHATWG URL standard. */
const SPECIAL = new Set(['http:', 'https:', 'ws:', 'wss:', 'ftp:', 'file:'])
/** What RFC 3986 lets a URI be made of; no fragment, which a server never sees. */
const CHARACTERS = /^[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]*$/
/** A dot, slash, backslash or percent sign behind any number of percent signs that are themselves encoded. */
const HIDDEN_STEP = /%(?:25)*(?:2e|2f|5c)/i
/** Letters, digits and `-_~`, which mean the same unencoded. */
const NEEDLESS = /%(?:[46][1-9a-f]|[57][0-9a]|3[0-9]|2d|5f|7e)/i
const CONTROL = /%(?:[01][0-9a-f]|7f)/i
/** Where servers split what they read: a path, a query, parameters of a segment. */
const SEGMENTS = /[/?&=;:,@]/

/**
 * Why a URI could be read in more than one way, as a phrase, or undefined when it is plain. Rules compare texts, and a
 * server resolves what it is given: only a URI that is the same before and after may be decided on.
 */
export function uriProblem(uri: string): string | undefined {
  if (uri === '' || uri.length > MAX_URI) return `it does not have 1 to ${MAX_URI} characters`
  const spelled = spellingProblem(uri)
  if (spelled !== undefined) return spelled
  if (!/^[a-z][a-z0-9+.-]*:/.test(uri)) return 'it does not begin with a scheme in lower case'
  return hasStep(uri.split(SEGMENTS)) ? STEP : ofUrl(uri)
}

/** Why no plain URI has this part in it. */
export function partProblem(part: string): string | undefined {
  return spellingProblem(part) ?? (hasStep(part.split(SEGMENTS).slice(1, -1)) ? STEP : undefined)
}

const STEP = 'it has a dot segment'
const hasStep = (segments: string[]): boolean => segments.some((segment) => segment === '.' || segment === '..')

function spellingProblem(text: string): string | undefined {
  if (text.includes('#')) return 'it has a fragment'
  if (!CHARACTERS.test(text)) return 'it has characters that a URI writes encoded'
  if (HIDDEN_STEP.test(text)) return 'it has an encoded dot, slash or backslash'
  if (CONTROL.test(text)) return 'it has an encoded control character'
  return NEEDLESS.test(text) ? 'it encodes what needs no encoding' : undefined
}

function ofUrl(uri: string): string | undefined {
  if (!URL.canParse(uri)) return 'it cannot be parsed'
  const decoded = decode(uri)
  if (decoded === undefined) return 'what it encodes is not UTF-8'
  // Full-width dots and slashes, which some file systems and servers fold to plain ones.
  if (steps(decoded.normalize('NFKC')) !== steps(decoded)) return 'it encodes letters that stand for dots or slashes'
  const { protocol, href, username, password } = new URL(uri)
  if (!SPECIAL.has(protocol)) return undefined
  if (username !== '' || password !== '') return 'it names a user'
  return href === uri ? undefined : 'it is not in its normal form'
}

function decode(uri: string): string | undefined {
  try {
    return decodeURIComponent(uri)
  } catch {
    return undefined
  }
}

const steps = (text: string): number => text.split(/[./\\%]/).length

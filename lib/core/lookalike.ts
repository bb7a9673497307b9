import { INVISIBLE } from './quote.ts'

/** Characters that look like a plain one: Cyrillic, Greek, Armenian and a few others, each before its twin. */
const TWINS =
  'аaеeоoрpсcуyхxіiјjѕsһhԁdԛqԝwӏlкkмmтtвbнhгr' +
  'АAЕEОOРPСCУYХXІIЈJЅSҺHԀDԚQԜWӀlКKМMТTВBНH' +
  'αaοoνvρpυuιiκkτtεeχxγy' +
  'ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧX' +
  'օoսuհhոnցgԱUՕO' +
  'ıiɡgɑaɩiʀrʏy' +
  'ϲcϹC。.‐-−-'

const TWIN = new Map<string, string>()
for (let points = Array.from(TWINS), i = 0; i < points.length; i += 2) {
  TWIN.set(points[i] as string, points[i + 1] as string)
}

/** Characters of a text that is looked through here; longer ones are an error of the operator that needs it. */
export const MAX_LOOK = 65_536

const PLAIN = /^[\x20-\x7e]*$/

/** Nothing but printable ASCII: such a text hides and pretends nothing, and most are, so this is asked first. */
export const isPlain = (text: string): boolean => PLAIN.test(text)

const LATIN = /\p{Script=Latin}/u
const CYRILLIC = /\p{Script=Cyrillic}/u
/** An emoji with the joiners and selectors that belong to it, which hide nothing. */
const EMOJI = /\p{Extended_Pictographic}(?:[\ufe0e\ufe0f]|\p{Emoji_Modifier}|\u200d(?=\p{Extended_Pictographic}))*/gu

/** Characters without a shape of their own, line breaks and tabs among them. */
export const hides = (text: string): boolean => !isPlain(text) && INVISIBLE.test(text)

/** As {@link hides}, but for running text: line breaks, tabs and what belongs to an emoji are fine. */
export const hidesInProse = (text: string): boolean =>
  !isPlain(text) && INVISIBLE.test(text.replace(EMOJI, '').replace(/[\t\n\r]/g, ''))

/**
 * The text as someone sees it who does not look closely: compatibility forms made plain (full-width letters, ligatures),
 * twins of Latin letters made Latin, nothing hidden. For comparing, never to pass on.
 *
 * What it does not catch: twins within ASCII (l, I and 1; O and 0; rn and m), accents, letters of scripts that are not
 * in its table (Cherokee, Lisu, Coptic), and words of similar meaning.
 */
export function unmasked(text: string): string {
  if (isPlain(text)) return text
  const twins = Array.from(text, (point) => TWIN.get(point) ?? point).join('')
  return Array.from(twins.normalize('NFKC'), (point) =>
    INVISIBLE.test(point) ? (/\s/.test(point) ? ' ' : '') : (TWIN.get(point) ?? point),
  ).join('')
}

/** As {@link unmasked}, and in one case, with single spaces and none at the ends: what lenient readers take for equal. */
export const skeleton = (text: string): string =>
  unmasked(text).toLowerCase().toUpperCase().toLowerCase().replace(/ +/g, ' ').trim()

/**
 * Whether a text has letters that look like others: ones that compatibility normalization turns into ASCII (so that a
 * server that normalizes reads another text), or a word that mixes Latin letters with twins of them. A word that is all
 * Cyrillic or all Greek is a word, also when it could be read as Latin: where a pattern has `.` or \p{L} it passes.
 */
export function pretends(text: string): boolean {
  if (isPlain(text)) return false
  const changes = text.normalize('NFKC') !== text
  for (const point of changes ? text : '') {
    if (point > '\x7f' && /[\x21-\x7e]/.test(point.normalize('NFKC'))) return true
  }
  return mixesScripts(text)
}

/** Whether a word of the text mixes Latin letters with Cyrillic ones or with twins of Latin letters. */
export function mixesScripts(text: string): boolean {
  if (isPlain(text)) return false
  for (const [word] of text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
    if (!LATIN.test(word) || isPlain(word)) continue
    if (CYRILLIC.test(word)) return true
    for (const point of word) if (TWIN.has(point) && !LATIN.test(point)) return true
  }
  return false
}

const MAX_SHOWN = 80

/**
 * A scalar as a sentence may show it: texts quoted, at most 80 characters of them, and everything that cannot be seen
 * or would break the line written as an escaped, so that a value cannot pass for another or for part of the sentence.
 */
export function shown(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value)
  const points = Array.from(value.slice(0, 2 * MAX_SHOWN + 2))
  const text = points.slice(0, MAX_SHOWN).map((point) => (INVISIBLE.test(point) ? escaped(point) : point))
  return `"${text.join('').replaceAll('"', '\\"')}${points.length > MAX_SHOWN ? '…' : ''}"`
}

/**
 * A character without a shape of its own: control, format, unassigned, line break, any space but the plain one, fillers
 * and selectors that are drawn as nothing.
 */
export const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u

const escaped = (point: string): string => `\\u{${(point.codePointAt(0) as number).toString(16)}}`

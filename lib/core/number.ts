/**
 * The double that a JSON number lexeme stands for, or undefined when it stands for no double exactly: when the decimal
 * written differs from the shortest decimal of the double nearest to it (9007199254740993, 1e400, 0.1000000000000000055).
 * -0 becomes 0, as JSON.stringify writes it.
 */
export function exactNumber(lexeme: string): number | undefined {
  const value = Number(lexeme)
  if (value === 0) return /[1-9]/.test(lexeme.split(/[eE]/)[0] as string) ? undefined : 0
  // Any decimal of 15 significant digits survives the way to a double and back.
  if (lexeme.length <= 15 && !/[eE]/.test(lexeme)) return value
  if (!Number.isFinite(value)) return undefined
  return normal(lexeme) === normal(String(value)) ? value : undefined
}

/** One spelling for each decimal: sign, digits without zeros at either end, power of ten. */
function normal(lexeme: string): string {
  const [mantissa = '', power = '0'] = lexeme.toLowerCase().split('e')
  const negative = mantissa.startsWith('-')
  const [whole = '', fraction = ''] = (negative ? mantissa.slice(1) : mantissa).split('.')
  const digits = `${whole}${fraction}`
  let end = digits.length
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end--
  let start = 0
  while (start < end && digits.charCodeAt(start) === 0x30) start++
  return `${negative ? '-' : ''}${digits.slice(start, end)}e${Number(power) - fraction.length + digits.length - end}`
}

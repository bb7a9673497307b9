import type { Random } from './random.ts'

/** JSON as written: text that may be no JSON at all, or one that readers take in different ways. */
export type Lexeme = string

/** In what the policy redacts; it must turn up nowhere but at the server. */
export const SECRET = 's3cr3t-'
/** Instead of it where the name of the argument may be damaged: then no policy could know it for a secret. */
export const PLAIN = 'harmless-'

const text = (value: string): Lexeme => JSON.stringify(value)

/** Texts that are, look like or hide what the policy wants to see. */
const TEXTS = [
  'EUR',
  'eur',
  'EUR\u200b',
  'ＥＵＲ',
  'ЕUR',
  'USD',
  'ana@corp.example',
  'ana@corp.example\n',
  'x@evil.example\n@corp.example',
  'x@evil.example,ana@corp.example',
  'ana@corp.example\u202e',
  'ana@cоrp.example',
  'ana@CORP.example',
  '"Ana" <ana@corp.example>',
  '["ana@corp.example"]',
  '@corp.example',
  'INV-1',
  'INV-10',
  'inv-1',
  '/srv/data/a',
  '/srv/data/../../etc/passwd',
  '/srv/data/%2e%2e/x',
  '10.0.0.1',
  '010.0.0.1',
  '::ffff:10.0.0.1',
  '10.0.0.1\u0000',
  'http://x.example',
  'ht\u200btps://x.example',
  'T-1',
  'T-1\nT-2',
  '50.00',
  '50.000',
  '5e1',
  ' 5',
  '٥',
  '',
  '\u0000',
  '\ud83d\ude00',
  'constructor',
  'true',
  'null',
] as const
/** As they stand in the body: escapes, also ones that are no text, are kept. */
const ODD_TEXTS: Lexeme[] = [
  '"\\u0045UR"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"E\\u0055R"',
  '"\\x"',
  '"tab\there"',
  '"\\u00"',
  "'EUR'",
  '"unterminated',
]
const NUMBERS: Lexeme[] = ['0', '-0', '1', '0.01', '0.1', '49.99', '50', '50.00', '50.01', '100', '-1', '1e1', '5E+1']
const ODD_NUMBERS: Lexeme[] = [
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '-9007199254740993',
  '50.000000000000000001',
  '49.99999999999999999999',
  '1e400',
  '-1e400',
  '1e-400',
  '0.1000000000000000055',
  '123456789012345678901234567890',
  '1e308',
  '5e-324',
  '00',
  '+1',
  '.5',
  '1.',
  '0x10',
  'NaN',
  'Infinity',
  '1_000',
]
export const ODD_KEYS = [
  'Amount',
  'AMOUNT',
  'amount\u200b',
  'amount ',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  '',
  'amount.value',
  'to[*]',
  '\u0430mount',
  '0',
] as const
export const NAMES = [
  'amount',
  'currency',
  'to',
  'memo',
  'iban',
  'invoice_id',
  'account',
  'host',
  'fields',
  'deep',
] as const

const deep = (random: Random): Lexeme => {
  const levels = random.pick([3, 20, 60, 63, 64, 65, 200, 5_000])
  return random.chance(0.5)
    ? `${'['.repeat(levels)}${']'.repeat(levels)}`
    : `${'{"deep":'.repeat(levels)}1${'}'.repeat(levels)}`
}

export const scalar = (random: Random): Lexeme =>
  random.weighted<Lexeme>([
    [10, () => text(random.pick(TEXTS))],
    [6, () => random.pick(NUMBERS)],
    [1, () => random.pick(['true', 'false', 'null'])],
    [1, () => String(random.below(10_000) / 100)],
  ])

export const oddScalar = (random: Random): Lexeme => random.pick(random.chance(0.5) ? ODD_NUMBERS : ODD_TEXTS)

/** Any value: mostly small, sometimes deep, long, wide or no JSON. `odd`: how likely each part is out of the ordinary. */
export const value = (random: Random, odd: number, depth = 0): Lexeme => {
  if (random.chance(odd))
    return random.weighted([
      [4, () => oddScalar(random)],
      [1, () => deep(random)],
    ])
  if (depth > 3 || random.chance(0.75)) return scalar(random)
  const size = random.pick([0, 1, 2, 3, random.chance(0.02) ? 200 : 4])
  if (random.chance(0.5))
    return `[${Array.from({ length: size }, () => value(random, odd, depth + 1)).join(random.pick([',', ', ', ' ,\n']))}]`
  const members = Array.from({ length: size }, () => {
    const key = random.chance(odd) ? random.pick(ODD_KEYS) : random.pick(NAMES)
    return `${text(key)}:${value(random, odd, depth + 1)}`
  })
  return `{${members.join(',')}}`
}

/** A value that the policy mostly likes to see under this name. */
const fitting = (random: Random, name: string, index: number): Lexeme => {
  switch (name) {
    case 'amount':
      return random.pick(['1', '0.01', '12.5', '50', '"50.00"', '50.01', '75', '0.1', '0.2', '4999.99', '5000.01'])
    case 'currency':
      return random.pick(['"EUR"', '"EUR"', '"EUR"', '"USD"', '"eur"'])
    case 'to':
      return random.pick([
        '["ana@corp.example"]',
        '["ana@corp.example","bo@corp.example"]',
        '["finance@corp.example"]',
        '["x@evil.example"]',
        '[]',
        '"ana@corp.example"',
        '["ana@corp.example",null]',
      ])
    case 'memo':
      return random.pick(['"as agreed on the phone"', '"see http://x.example"', '"ok"', '"two\\nlines"'])
    case 'iban':
      return text(`IBAN-${SECRET}${index}`)
    case 'invoice_id':
      return text(`INV-${random.below(40)}`)
    case 'account':
      return text(random.pick(['T-1', 'T-22', 'X-1', 'T-1\nT-2', 't-1']))
    case 'host':
      return text(random.pick(['10.0.0.1', '10.9.8.7', '192.0.2.1', '::1', '10.0.0.1:80']))
    case 'fields':
      return random.pick(['["status"]', '["status","note"]', '["status","owner"]', '[]', '["note",5]'])
    default:
      return '{"x":{"y":[{"z":1},{"z":2}]}}'
  }
}

/** The arguments of a call as written: members that fit, members that do not, members twice. */
export const args = (random: Random, index: number, odd: number, wanted: readonly string[]): Lexeme => {
  const members = wanted
    .filter(() => !random.chance(0.06))
    .map((name) => `${text(name)}:${random.chance(0.88 - odd) ? fitting(random, name, index) : value(random, odd)}`)
  while (random.chance(0.15))
    members.push(`${text(random.chance(odd) ? random.pick(ODD_KEYS) : random.pick(NAMES))}:${value(random, odd)}`)
  return `{${members.join(',')}}`
}

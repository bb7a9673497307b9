import fc from 'fast-check'
import { RE2JS } from 're2js'
import { expect, test } from 'vitest'
import { automaton, contains } from './language.ts'
import { languageOf } from './regex.ts'

const PATTERNS = [
  '^a(b|c)d?$',
  '^T-[0-9]{1,3}$',
  'a|^b$|c$',
  '^[^a-c]+x*$',
  '^(?:ab|a(?:b|c)?){2,}$',
  '^\\d+\\.\\w?$',
  '(?s)^a.b$',
  '^a.b$',
  '^[\\d.-]+$',
  '^\\S\\s\\D$',
  '',
  '^$',
  'a+?b*?',
  '^[]a]$',
  '^[a\\]\\-]$',
  '^a{0}b{2}$',
]

test('a translated pattern is found in the same texts as by RE2', () => {
  const text = fc.string({ unit: fc.constantFrom(...'abcdxT-0159.] \n_A'), maxLength: 8 })
  for (const pattern of PATTERNS) {
    const language = languageOf(pattern)
    expect(language, pattern).toBeDefined()
    const built = automaton(language as NonNullable<typeof language>)
    const re = RE2JS.compile(pattern)
    fc.assert(
      fc.property(text, (value) => {
        expect(contains(built, value), `${pattern} in ${JSON.stringify(value)}`).toBe(re.test(value))
      }),
      { numRuns: 300 },
    )
  }
})

test.each(['(?i)a', '\\bA', '(^a)', 'a$b', '[[:alpha:]]', '\\pL', 'é', 'a{201}', '[\\D1]', '(?P<n>a)', '(?m)^a'])(
  '%s is left out',
  (pattern) => expect(languageOf(pattern)).toBeUndefined(),
)

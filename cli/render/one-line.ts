/**
 * Text of an agent or a server as a terminal may show it: control, format and line-separating characters become
 * escapes, so that nobody writes lines, colours or right-to-left tricks of their own into a person's page.
 */
export const oneLine = (text: string): string =>
  text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)

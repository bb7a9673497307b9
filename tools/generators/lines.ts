/** A name in code that a page links to: [`begin`](../sidecar/mcp/recorded.ts#L55). */
const LINK = /\[`(\w+)`\]\(([^)#\s]+\.ts)#L\d+\)/g

const declares = (line: string, name: string): boolean =>
  new RegExp(`^\\s*(?:export )?(?:async )?(?:const|function|interface|type|class) ${name}\\b`).test(line)

/**
 * A page with each of its links to a name in code leading to the line that declares it.
 * @param read the text of a file by its path as the page has it
 * @throws when a file declares no such name: the page tells of what is not there any more
 */
export const withLines = (page: string, read: (path: string) => string): string =>
  page.replace(LINK, (_link, name: string, path: string) => {
    const line = read(path)
      .split('\n')
      .findIndex((text) => declares(text, name))
    if (line < 0) throw new Error(`${path} declares no ${name}`)
    return `[\`${name}\`](${path}#L${line + 1})`
  })

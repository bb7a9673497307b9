import { CASES, type CaseName, ERAS, type Era } from './cases.ts'
import { CLIENTS, type CompatClient, isKnown } from './clients.ts'
import type { Cell } from './play.ts'
import { BRIDGE_CASES, type BridgeCell } from './pods/bridge-cases.ts'

/** What a case came to, held against what is known of it. */
export type Verdict = 'passes' | 'fails' | 'known' | 'mended' | 'not played'

export const verdictOf = (client: CompatClient, cells: readonly Cell[], era: Era, name: CaseName): Verdict => {
  const cell = cells.find((one) => one.client === client.name && one.era === era && one.case === name)
  if (!cell) return 'not played'
  const known = isKnown(client, era, name) !== undefined
  if (cell.faults.length === 0) return known ? 'mended' : 'passes'
  return known ? 'known' : 'fails'
}

export const ERA_TITLES: Record<Era, string> = {
  legacy: 'A server by 2025-11-25, with sessions',
  modern: 'A server by 2026-07-28, without',
}

/** The faults that nobody knew of, and what is known and mended; nothing when all is as it should be. */
export const surprises = (clients: readonly CompatClient[], cells: readonly Cell[]): string[] =>
  cells.flatMap((cell) => {
    const client = clients.find(({ name }) => name === cell.client)!
    const verdict = verdictOf(client, cells, cell.era, cell.case)
    const where = `${cell.client}, ${cell.era} server, ${cell.case}`
    if (verdict === 'mended') return [`${where}: works now, so it is no longer to be known as broken`]
    return verdict === 'fails' ? [`${where}: ${cell.faults.join('; ')}`] : []
  })

const row = (values: readonly string[]) => `| ${values.join(' | ')} |`

/** How it is said that a case came out as it should. */
const passed = ({ impatient }: Pick<CompatClient, 'impatient'>, name: string): string =>
  impatient && name === 'slow' ? 'given up' : 'yes'

/** The matrix as tables of Markdown, one an era, with what is known below. */
export const renderMatrix = (clients: readonly CompatClient[], cells: readonly Cell[]): string => {
  const notes: string[] = []
  const mark = (client: CompatClient, era: Era, name: CaseName): string => {
    const verdict = verdictOf(client, cells, era, name)
    if (verdict === 'not played') return '–'
    if (verdict === 'passes' || verdict === 'mended') return passed(client, name)
    if (verdict === 'fails') return '**no**'
    const why = isKnown(client, era, name)!
    if (!notes.includes(why)) notes.push(why)
    return `no (${notes.indexOf(why) + 1})`
  }
  const tables = ERAS.filter((era) => cells.some((cell) => cell.era === era)).map((era) =>
    [
      `## ${ERA_TITLES[era]}`,
      '',
      row(['client', 'package', 'version', ...CASES]),
      row(['---', '---', '---', ...CASES.map(() => '---')]),
      ...clients.map((client) =>
        row([client.title, `\`${client.package}\``, client.version(), ...CASES.map((name) => mark(client, era, name))]),
      ),
    ].join('\n'),
  )
  const known = notes.map((why, index) => `${index + 1}. ${why}`)
  return [...tables, ...(known.length ? [known.join('\n')] : [])].join('\n\n')
}

export const ERA_NAMES: Record<Era, string> = { legacy: '2025-11-25', modern: '2026-07-28' }

type Played<C extends string> = { client: string; case: C; faults: readonly string[] }
const clientsOf = (cells: readonly Played<string>[]) =>
  CLIENTS.filter(({ name }) => cells.some(({ client }) => client === name))
/** A case that nothing is said of did not pass. */
const mark = <C extends string>(cells: readonly Played<C>[], client: CompatClient, name: C): string =>
  cells.some((cell) => cell.client === client.name && cell.case === name && cell.faults.length === 0)
    ? passed(client, name)
    : '**no**'

/** What became of the agents in pods, as a table of Markdown. */
export const renderPods = (cells: readonly Cell[]): string =>
  [
    row(['agent', 'server', ...CASES]),
    row(['---', '---', ...CASES.map(() => '---')]),
    ...clientsOf(cells).flatMap((client) =>
      ERAS.map((era) => {
        const played = cells.filter((cell) => cell.era === era)
        return row([client.title, ERA_NAMES[era], ...CASES.map((name) => mark(played, client, name))])
      }),
    ),
  ].join('\n')

/** What became of the server behind the bridge, as a table of Markdown. */
export const renderBridge = (cells: readonly BridgeCell[]): string =>
  [
    row(['agent', ...BRIDGE_CASES]),
    row(['---', ...BRIDGE_CASES.map(() => '---')]),
    ...clientsOf(cells).map((client) => row([client.title, ...BRIDGE_CASES.map((name) => mark(cells, client, name))])),
  ].join('\n')

/** The page docs/compat.md. */
export const renderPage = (
  cells: readonly Cell[],
  pods: readonly Cell[],
  bridge: readonly BridgeCell[],
): string => `# Which clients work

Written by \`npm run test:compat\`, which plays each case with each client, in a process of its own, through \`remit gate\`. A case counts only when what the client saw, what the gate recorded and what the server's own journal says agree. What each client needs to be told is in [clients](clients.md).

| case | what has to happen |
|---|---|
| allow | the tools that some rule could allow are listed, and no other; the call is made once and recorded |
| deny | the call is not made; the reason reaches the model |
| hidden | a tool that an invariant forbids is not listed, and calling it anyway is denied |
| held | a call that somebody has to allow first is not made; at once the model is told for whom it waits |
| slow | an answer that takes eight seconds arrives, with its progress where the client can hear of it. *Given up*: the client waits five seconds; then the server stops working, and the record says cancelled |
| cancelled | the client gives up: the server stops working, and the record says cancelled |
| model | the agent thinks by a model behind \`/llm\`: asked, called, answered, all recorded |
| dies | the server ends during the call: the client is told that nobody knows whether it took effect |

${renderMatrix(CLIENTS, cells)}

## Agents in pods
As AgentIdentities on a cluster, each before a server in a pod of its own; in every case it is the model behind \`/llm\`, in another pod, that asks for the call.

${renderPods(pods)}

## A server on standard input and output
\`mcp-server-sqlite\` in a pod, deployed as in [the bridge](bridge.md), and agents in others: a query that is allowed, one that is not, one that never ends and during which the server is killed (the model is told that nobody knows whether it took effect), and one after it.

${renderBridge(bridge)}
`

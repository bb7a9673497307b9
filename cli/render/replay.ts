import type { DecisionRecord } from '../../lib/api/receipt.ts'
import { byTool, isChange, isWider, skippedBy, type ToolChanges } from '../policy/changes.ts'
import type { Replay, Replayed } from '../policy/replay.ts'
import { labelOf, whatJson } from '../policy/what.ts'
import { cut } from './cut.ts'
import { oneLine } from './one-line.ts'
import { table } from './table.ts'
import { instant } from './time.ts'

/** What was replayed: for the first line of each form. */
export interface About {
  /** "billing-bot", or the directory of a gate. */
  agent: string
  /** Milliseconds since the epoch. */
  since: number
  /** "new.yaml" */
  candidate: string
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

/** Sentences that say what was replayed, what not, and how much changes. */
const summary = (replay: Replay, { agent, since, candidate }: About): string[] => {
  const { replayed, skipped, opened, withoutAnswer } = replay
  const changed = replayed.filter(isChange)
  const wider = changed.filter(isWider).length
  const reasons = Object.entries(skippedBy(replay)).map(([why, count]) => `${count} ${why}`)
  return [
    `${plural(replayed.length + skipped.length, 'call')} of ${agent} since ${instant(since)}, ${replayed.length} replayed against ${candidate}: ` +
      (changed.length === 0
        ? 'nothing changes.'
        : `${changed.length} decided otherwise, ${wider} of them wider and ${changed.length - wider} narrower.`),
    ...(skipped.length === 0 ? [] : [`${plural(skipped.length, 'call')} cannot be replayed: ${reasons.join(', ')}.`]),
    ...(withoutAnswer === 0
      ? []
      : [
          `Answers of the agent are not recorded, so ${plural(withoutAnswer, 'request')} that a server made may be refused yet.`,
        ]),
    ...opened.map(
      ({ time, policy, detail }) =>
        `The breaker of ${policy} would have opened at ${instant(time)}: ${detail}; what follows is as if it had been lifted at once.`,
    ),
  ]
}

const HEADINGS = ['WHAT', 'CALLS', 'ALLOW', 'DRAFT', 'ASK', 'DENY', 'CHANGED']
const row = ({ what, calls, now, changes }: ToolChanges): string[] => [
  labelOf(what),
  ...[calls, now.Allow, now.Draft, now.Ask, now.Deny].map(String),
  changes.map(({ was, now: then, calls: count }) => `${count} ${was} -> ${then}`).join(', ') || '-',
]

export const renderReplay = (replay: Replay, about: About): string => {
  const tools = byTool(replay.replayed)
  const counts = tools.length === 0 ? [] : ['', table(HEADINGS, tools.map(row))]
  const more = replay.replayed.some(isChange) ? ['', 'See each call with -o diff.'] : []
  return [...summary(replay, about), ...counts, ...more].join('\n')
}

const decided = ({ effect, rule, policy, reason }: DecisionRecord): string =>
  `${effect}${rule === undefined ? '' : ` by ${rule} in ${policy}`}: ${reason}`

/** What changes, call by call, as a unified diff; empty when nothing does. */
export const renderDiff = (replayed: Replayed[], candidate: string, most = Number.POSITIVE_INFINITY): string => {
  const changed = replayed.filter(isChange)
  if (changed.length === 0) return ''
  const hunks = changed
    .slice(0, most)
    .flatMap(({ receipt, time, what, arguments: args, was, now }) => [
      `@@ ${receipt}, ${instant(time)} @@`,
      ` ${oneLine(what.type === 'resource' ? labelOf(what) : `${labelOf(what)} ${cut(JSON.stringify(args), 400)}`)}`,
      `-${oneLine(decided(was))}`,
      `+${oneLine(decided(now))}`,
    ])
  const left = changed.length - most
  return ['--- as recorded', `+++ ${candidate}`, ...hunks, ...(left > 0 ? [`# and ${left} more`] : [])].join('\n')
}

/** Calls of the diff in a pull request: more than this nobody reads there. */
const MOST_IN_MARKDOWN = 50

/** For a pull request: the summary, the table, and the diff. */
export const renderMarkdown = (replay: Replay, about: About): string => {
  const cell = (text: string) => oneLine(text).replace(/[\\|`<>*_[\]]/g, '\\$&')
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  const tools = byTool(replay.replayed)
  const counts =
    tools.length === 0
      ? []
      : [
          line(HEADINGS.map((heading) => heading.toLowerCase())),
          line(HEADINGS.map(() => '---')),
          ...tools.map((tool) => line(row(tool).map(cell))),
          '',
        ]
  const diff = renderDiff(replay.replayed, about.candidate, MOST_IN_MARKDOWN)
  // Longer than any run of backticks inside, so that no argument of a call ends it.
  const fence = '`'.repeat(Math.max(3, ...[...diff.matchAll(/`+/g)].map(([run]) => run.length + 1)))
  return [
    `### What ${cell(about.candidate)} changes`,
    '',
    ...summary(replay, about).flatMap((sentence) => [cell(sentence), '']),
    ...counts,
    ...(diff === '' ? [] : [`${fence}diff`, diff, fence]),
  ]
    .join('\n')
    .trimEnd()
}

/** What a script gets. */
export const replayJson = (replay: Replay, { agent, since, candidate }: About) => ({
  agent,
  since: new Date(since).toISOString(),
  candidate,
  calls: replay.replayed.length + replay.skipped.length,
  replayed: replay.replayed.length,
  cannotBeReplayed: skippedBy(replay),
  tools: byTool(replay.replayed).map(({ what, ...counts }) => ({ ...whatJson(what), ...counts })),
  changed: replay.replayed
    .filter(isChange)
    .map(({ what, ...call }) => ({ ...whatJson(what), ...call, wider: isWider({ what, ...call }) })),
  skipped: replay.skipped.map(({ what, ...call }) => ({ ...(what === undefined ? {} : whatJson(what)), ...call })),
  withoutAnswer: replay.withoutAnswer,
  opened: replay.opened,
})

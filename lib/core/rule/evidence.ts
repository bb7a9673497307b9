import type { Evidence } from '../../api/gen/types.ts'
import type { Facts } from '../../api/receipt.ts'
import { parseDuration } from '../duration.ts'
import { glob } from '../glob.ts'
import { factPath, valuesAt } from '../history/facts.ts'
import { evidenceKeyOf, type Tracker, tracker } from '../history/tracker.ts'
import type { Asked, Check } from './check.ts'

/** How long evidence lasts where the rule does not say. */
export const DEFAULT_WITHIN = '24h'

export interface PreparedEvidence {
  tracker: Tracker
  check: (asked: Asked) => Check
}

/** "server/tool" as a matcher; names of tools may have slashes, those of servers may not. */
export function matchTool(text: string): (server: string, tool: string) => boolean {
  const slash = text.indexOf('/')
  const server = glob(text.slice(0, slash))
  const tool = glob(text.slice(slash + 1))
  return (aServer, aTool) => server(aServer) && tool(aTool)
}

export function prepareEvidence({ tool, within = DEFAULT_WITHIN, same = {} }: Evidence): PreparedEvidence {
  const per = parseDuration(within) ?? 0
  const pairs = Object.entries(same)
    .map(([mine, earlier]) => ({ mine: factPath(mine), earlier: factPath(earlier) }))
    .sort((a, b) => (a.earlier.arg < b.earlier.arg ? -1 : 1))
  const evidenceKey = evidenceKeyOf(pairs.map(({ earlier }) => earlier.arg))
  const proof = tracker(
    { what: 'evidence', tool, args: pairs.map(({ earlier }) => earlier.arg) },
    { what: 'evidence', per, counts: matchTool(tool), paths: pairs.map(({ earlier }) => earlier), evidenceKey },
  )
  const wants = pairs.length === 0 ? tool : `${tool} for the same ${pairs.map(({ mine }) => mine.arg).join(' and ')}`
  return {
    tracker: proof,
    check: ({ arguments: args, history, steady }) => {
      const facts: Facts = {}
      for (const { mine, earlier } of pairs) {
        const found = valuesAt(args, mine)
        if ('problem' in found) return { is: 'error', what: found.problem }
        facts[earlier.arg] = found.values
      }
      const at = history.evidence.get(proof.key)?.get(evidenceKey(facts) as string)
      if (at !== undefined && at > steady - per)
        return {
          is: 'true',
          fact: { what: 'evidence', holds: true, detail: `${wants} succeeded in the last ${within}` },
        }
      const what = `${wants} did not succeed in the last ${within}`
      return {
        is: 'false',
        code: 'EvidenceMissing',
        what,
        wants: 'it after that',
        fact: { what: 'evidence', holds: false, detail: what },
      }
    },
  }
}

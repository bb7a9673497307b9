import type { Remit } from '../../lib/api/remit.ts'
import { canonical } from '../../lib/core/canonical.ts'

/** What is compared by being equal: something that held calls back and is gone or another. */
export interface Loosened {
  what: 'pin' | 'redaction' | 'breaker' | 'egress'
  detail: string
}

type Standing = 'pins' | 'redactions' | 'breakers'

/** Pins, redactions and breakers in force that are not there any more to the letter, and networks that were not open. */
export function loosened(old: Remit, now: Remit): Loosened[] {
  const inForce = (remit: Remit, list: Standing): string[] =>
    (remit[list] ?? [])
      .filter(({ mode }) => mode === 'Enforce')
      .map(({ policy: _, mode: __, ...content }) => canonical(content))
  const gone = (list: Standing): Record<string, unknown>[] => {
    const left = new Set(inForce(now, list))
    return [...new Set(inForce(old, list))].filter((text) => !left.has(text)).map((text) => JSON.parse(text))
  }
  const pins = gone('pins').map(({ server, tool, digest }): Loosened => {
    const other = now.pins?.some((pin) => pin.mode === 'Enforce' && pin.server === server && pin.tool === tool)
    return {
      what: 'pin',
      detail: other
        ? `the pin of ${server}/${tool} is another; ${digest} was it`
        : `${server}/${tool} is no longer pinned to ${digest}`,
    }
  })
  const redactions = gone('redactions').map(
    (redaction): Loosened => ({
      what: 'redaction',
      detail: `the redaction ${JSON.stringify(redaction)} is gone or another`,
    }),
  )
  const breakers = gone('breakers').map(
    (breaker): Loosened => ({
      what: 'breaker',
      detail: `the breaker ${JSON.stringify(breaker)} is gone or another`,
    }),
  )
  const open = new Set(old.egress.cidrs.map((each) => canonical(each)))
  const egress = now.egress.cidrs
    .filter((each) => !open.has(canonical(each)))
    .map(
      ({ cidr, ports }): Loosened => ({
        what: 'egress',
        detail: `agents may connect to ${cidr}${ports === undefined ? '' : ` on ${ports.join(', ')}`}`,
      }),
    )
  return [...pins, ...redactions, ...breakers, ...egress]
}

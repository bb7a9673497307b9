import type { ToolClass } from '../../lib/api/gen/types.ts'
import { type CallRule, isCallRule, type Remit } from '../../lib/api/remit.ts'
import { annotatedClass, type Classify, classifier, withAnnotations } from '../../lib/core/class.ts'
import { compileMatch, fitsClass, fitsWhole } from '../../lib/core/match.ts'

/** A tool that is asked about: one for all that the policies do not tell apart. */
export interface Target {
  server: string
  tool: string
  /** The class its server's own annotations imply, where no pin says. */
  annotated?: ToolClass
}

/** Old or new: what decides, of a remit. */
export interface Side {
  remit: Remit
  /** Those in force, with what they match. */
  rules: { rule: CallRule; match: ReturnType<typeof compileMatch> }[]
  /** The class that rules give, in force or not. */
  ruleClass: Classify
  /** What a call gets that no rule gives. */
  byDefault: 'Allow' | 'Deny'
  pins: NonNullable<Remit['pins']>
}

export function sideOf(remit: Remit): Side {
  return {
    remit,
    rules: remit.rules
      .filter(isCallRule)
      .filter(({ mode }) => mode === 'Enforce')
      .map((rule) => ({ rule, match: compileMatch(rule.match) })),
    ruleClass: classifier(remit),
    byDefault: remit.observing === true ? 'Allow' : 'Deny',
    pins: (remit.pins ?? []).filter(({ mode }) => mode === 'Enforce'),
  }
}

export const pinOf = (side: Side, { server, tool }: Target): Side['pins'][number] | undefined =>
  side.pins.find((pin) => pin.server === server && pin.tool === tool)

/** Whether every call of the tool is denied because its server has pins and none is of it. */
export const isUnpinned = (side: Side, target: Target): boolean =>
  side.pins.some(({ server }) => server === target.server) && pinOf(side, target) === undefined

/** The class that annotations imply for this side. */
export const annotatedOf = (side: Side, target: Target): ToolClass | undefined => {
  const pinned = pinOf(side, target)
  return pinned?.definition === undefined ? target.annotated : annotatedClass(pinned.definition)
}

/** The rules in force that match a tool, by names and class. */
export const rulesOf = (side: Side, target: Target): CallRule[] => speaking(side, target).map(({ rule }) => rule)

/** The same, with whether they may give. */
export function speaking(side: Side, target: Target): { rule: CallRule; gives: boolean }[] {
  const { server, tool } = target
  const byRules = side.ruleClass(server, tool)
  const classes = { byRules, cls: withAnnotations(byRules, annotatedOf(side, target)) }
  return side.rules
    .filter(({ rule, match }) => {
      const restricts = rule.type !== 'tool' || rule.effect === 'Deny'
      return match.names(server, tool) && fitsClass(match, classes, restricts)
    })
    .map(({ rule, match }) => ({ rule, gives: fitsWhole(match, classes) }))
}

/** Whether classes can change what is decided. */
export const usesClasses = ({ remit }: Side): boolean =>
  remit.rules
    .filter(isCallRule)
    .some((rule) => (rule.type === 'tool' && rule.class !== undefined) || rule.match.classes !== undefined)

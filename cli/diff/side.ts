import type { ToolClass } from '../../lib/api/gen/types.ts'
import { isCallRule, type OtherRule, type Remit } from '../../lib/api/remit.ts'
import { annotatedClass, type Classify, classifier, withAnnotations } from '../../lib/core/class.ts'
import { compileMatch, fitsClass, fitsWhole } from '../../lib/core/match.ts'
import { asCallRule, type OtherType, type Rule, speaksOf } from './other.ts'

/** What is asked about: a tool, one for all that the policies do not tell apart, or something else. */
export interface Target {
  /** Absent of tools. */
  type?: OtherType
  server: string
  /** Of a prompt its name, of a request and its answer the method, of resources, which are told apart by arguments, "*". */
  tool: string
  /** The class its server's own annotations imply, where no pin says. */
  annotated?: ToolClass
}

/** Old or new: what decides, of a remit. */
export interface Side {
  remit: Remit
  /** Those in force, with what they match. */
  rules: { rule: Rule; match: ReturnType<typeof compileMatch> }[]
  /** Those in force about other things than tools. */
  others: OtherRule[]
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
    others: remit.rules.filter((rule) => !isCallRule(rule)).filter(({ mode }) => mode === 'Enforce'),
    ruleClass: classifier(remit),
    byDefault: remit.observing === true ? 'Allow' : 'Deny',
    pins: (remit.pins ?? []).filter(({ mode }) => mode === 'Enforce'),
  }
}

export const pinOf = (side: Side, { type, server, tool }: Target): Side['pins'][number] | undefined =>
  type === undefined ? side.pins.find((pin) => pin.server === server && pin.tool === tool) : undefined

/** Whether every call of the tool is denied because its server has pins and none is of it. */
export const isUnpinned = (side: Side, target: Target): boolean =>
  target.type === undefined &&
  side.pins.some(({ server }) => server === target.server) &&
  pinOf(side, target) === undefined

/** The class that annotations imply for this side. */
export const annotatedOf = (side: Side, target: Target): ToolClass | undefined => {
  const pinned = pinOf(side, target)
  return pinned?.definition === undefined ? target.annotated : annotatedClass(pinned.definition)
}

/** The rules in force that match a tool, by names and class. */
export const rulesOf = (side: Side, target: Target): Rule[] => speaking(side, target).map(({ rule }) => rule)

/** The same, with whether they may give. */
export function speaking(side: Side, target: Target): { rule: Rule; gives: boolean }[] {
  const { type, server, tool } = target
  if (type !== undefined) return speakingOfOthers(side, type, server, tool)
  const byRules = side.ruleClass(server, tool)
  const classes = { byRules, cls: withAnnotations(byRules, annotatedOf(side, target)) }
  return side.rules
    .filter(({ rule, match }) => {
      const restricts = rule.type !== 'tool' || rule.effect === 'Deny'
      return match.names(server, tool) && fitsClass(match, classes, restricts)
    })
    .map(({ rule, match }) => ({ rule, gives: fitsWhole(match, classes) }))
}

/** Restrictions that name servers alone are about more than their tools; see decideOther. */
const speakingOfOthers = (
  side: Side,
  type: OtherType,
  server: string,
  name: string,
): { rule: Rule; gives: boolean }[] => [
  ...side.others
    .filter((rule) => speaksOf(rule, type, server, name))
    .map((rule) => ({ rule: asCallRule(rule, type), gives: true })),
  ...side.rules
    .filter(
      ({ rule, match }) =>
        rule.type !== 'tool' &&
        match.everythingOf(server) &&
        (rule.type === 'invariant' || (type !== 'request' && type !== 'answer')),
    )
    .map(({ rule }) => ({ rule, gives: false })),
]

/** Whether classes can change what is decided. */
export const usesClasses = ({ remit }: Side): boolean =>
  remit.rules
    .filter(isCallRule)
    .some((rule) => (rule.type === 'tool' && rule.class !== undefined) || rule.match.classes !== undefined)

/** What a warning is about; `kubectl remit policy lint` and the webhook print it as a word to search for. */
export type WarningKind =
  | 'NoLowerBound'
  | 'DomainSuffix'
  | 'Shadowed'
  | 'Repeats'
  | 'Unanchored'
  | 'Wildcard'
  | 'WriteUncontrolled'
  | 'DefaultLimits'
  | 'NoBreaker'
  | 'EgressHosts'
  | 'AnyScheme'
  | 'AnyHost'
  | 'AnyMode'
  | 'NoMaxTokens'
  | 'DeniesReads'

/** Something a policy may say but is seldom meant to. */
export interface Warning {
  kind: WarningKind
  /** Path of the field, "spec.tools[1].where[0].suffix". */
  field: string
  /** A phrase without full stop. */
  detail: string
  /** What to write instead, a sentence. */
  fix: string
}

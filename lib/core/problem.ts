import type { ErrorCode } from './errors.ts'

/** A user's mistake in a declared object: the field, the value, what is wrong, and what to write instead. */
export interface Problem {
  /** The object it is in, "AgentPolicy payments/billing", when several were checked together. */
  object?: string
  /** Path of the field, "spec.tools[1].where[0].max". */
  field: string
  /** The offending value as JSON, cut to 80 characters. */
  value?: string
  code: ErrorCode
  /** A phrase without full stop. */
  detail: string
  fix: string
}

/** Collects problems; `at` makes one whose value is shown as JSON. */
export interface Problems {
  list: Problem[]
  at: (field: string, value: unknown, code: ErrorCode, detail: string, fix: string) => void
}

export function problems(): Problems {
  const list: Problem[] = []
  return {
    list,
    at: (field, value, code, detail, fix) => {
      const text = value === undefined ? undefined : JSON.stringify(value)
      const cut = text !== undefined && text.length > 80 ? `${text.slice(0, 80)}…` : text
      list.push({ field, ...(cut === undefined ? {} : { value: cut }), code, detail, fix })
    },
  }
}

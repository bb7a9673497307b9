/** One thing a run is held to. */
export interface Bar {
  what: string
  is: number
  atMost: number
  /** What is told beside it when it is missed. */
  said?: string[]
}

const round = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1))

/** Tells each bar; false when one is missed. A number that is none has missed it. */
export const judge = (bars: Bar[], tell: (line: string) => void): boolean => {
  let ok = true
  for (const { what, is, atMost, said = [] } of bars) {
    const held = is <= atMost
    ok = ok && held
    tell(`${held ? 'ok    ' : 'MISSED'} ${what}: ${round(is)} (at most ${round(atMost)})`)
    if (!held) for (const line of said) tell(`         ${line}`)
  }
  return ok
}

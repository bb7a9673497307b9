import { beforeAll, describe, expect, test } from 'vitest'
import { silentProgress } from '../../tools/progress.ts'
import { ERAS } from './cases.ts'
import { CLIENTS } from './clients.ts'
import { playMatrix } from './matrix.ts'
import { type Cell, casesOf } from './play.ts'
import { verdictOf } from './report.ts'

// Those that npm has installed anyway; `npm run test:compat` plays all.
const fast = CLIENTS.filter((client) => client.fast)
let cells: Cell[] = []

beforeAll(async () => {
  cells = await playMatrix(fast, ERAS, silentProgress)
}, 180_000)

describe.each(fast)('$name', (client) => {
  describe.each(ERAS)('before a %s server', (era) => {
    test.each(casesOf(client))('%s', (name) => {
      const { faults } = cells.find((one) => one.client === client.name && one.era === era && one.case === name)!
      const verdict = verdictOf(client, cells, era, name)
      expect({ faults, verdict }).toEqual(
        verdict === 'known' ? { faults: expect.any(Array), verdict } : { faults: [], verdict: 'passes' },
      )
    })
  })
})

import { describe, expect, it } from 'vitest'
import { compareSnapshots, markedProcesses, type Snapshot, snapshotParts } from './snapshot.ts'

const empty = Object.fromEntries(snapshotParts.map((part) => [part, []])) as unknown as Snapshot

describe('compareSnapshots', () => {
  it('finds nothing between equal snapshots', () => {
    expect(compareSnapshots({ ...empty, links: ['lo'] }, { ...empty, links: ['lo'] })).toEqual([])
  })

  it('tells what came, what went and what is there twice', () => {
    const before = { ...empty, links: ['lo', 'eth0'], iptables: ['4 -A INPUT -j ACCEPT'] }
    const after = { ...empty, links: ['lo', 'remit0'], iptables: ['4 -A INPUT -j ACCEPT', '4 -A INPUT -j ACCEPT'] }
    expect(compareSnapshots(before, after)).toEqual([
      '- links eth0',
      '+ links remit0',
      '+ iptables 4 -A INPUT -j ACCEPT',
    ])
  })
})

describe('markedProcesses', () => {
  it('finds a process by its environment, and no other', async () => {
    const { spawn } = await import('node:child_process')
    const child = spawn('sleep', ['30'], { env: { PATH: process.env.PATH, REMIT_SNAPSHOT_TEST: 'yes' } })
    try {
      await new Promise((resolve) => child.once('spawn', resolve))
      const pids = () => markedProcesses('REMIT_SNAPSHOT_TEST=yes').map(({ pid }) => pid)
      for (let attempt = 0; attempt < 50 && pids().length === 0; attempt++) await new Promise((r) => setTimeout(r, 20))
      expect(pids()).toEqual([child.pid])
      expect(markedProcesses('REMIT_SNAPSHOT_TEST=no')).toEqual([])
    } finally {
      child.kill('SIGKILL')
    }
  })
})

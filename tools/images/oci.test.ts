import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { archive, blob, image, tar } from './oci.ts'

const dir = mkdtempSync(join(tmpdir(), 'remit-oci-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const unpack = (bytes: Buffer, name: string) => {
  const to = join(dir, name)
  execFileSync('mkdir', [to])
  writeFileSync(`${to}.tar`, bytes)
  execFileSync('tar', ['-xpf', `${to}.tar`, '-C', to])
  return to
}

describe('tar', () => {
  it('is what tar(1) unpacks: content, modes, links, long names', () => {
    const long = `${'deep/'.repeat(25)}file.txt`
    const at = unpack(
      tar([
        { path: '/bin', kind: 'dir', mode: 0o755 },
        { path: '/bin/run', kind: 'file', mode: 0o750, data: Buffer.from('x'.repeat(513)) },
        { path: '/bin/link', kind: 'link', target: 'run' },
        { path: long, kind: 'file', mode: 0o644, data: Buffer.from('far') },
      ]),
      'tar',
    )
    expect(readFileSync(join(at, 'bin/link'), 'utf8')).toBe('x'.repeat(513))
    expect(statSync(join(at, 'bin/run')).mode & 0o777).toBe(0o750)
    expect(readFileSync(join(at, long), 'utf8')).toBe('far')
  })

  it('refuses a name it cannot hold', () => {
    expect(() => tar([{ path: 'x'.repeat(200), kind: 'file', mode: 0o644, data: Buffer.alloc(0) }])).toThrow(/too long/)
  })
})

describe('archive', () => {
  const layer = blob(tar([{ path: 'a', kind: 'file', mode: 0o644, data: Buffer.from('a') }]))
  const made = image([layer], { User: '65532:65532', Entrypoint: ['/a'] }, 'amd64')

  it('is an OCI layout in which every blob has the digest of its bytes', () => {
    const at = unpack(archive([{ ref: 'remit.local/a:dev', image: made }]), 'oci')
    const index = JSON.parse(readFileSync(join(at, 'index.json'), 'utf8'))
    const open = (digest: string) => {
      const bytes = readFileSync(join(at, 'blobs', digest.replace(':', '/')))
      expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(digest)
      return bytes
    }
    expect(index.manifests[0].digest).toBe(made.digest)
    const manifest = JSON.parse(open(made.digest).toString())
    expect(JSON.parse(open(manifest.config.digest).toString()).config.User).toBe('65532:65532')
    expect(open(manifest.layers[0].digest)).toEqual(layer.data)
  })

  it('has the same digest for the same content, and another for another', () => {
    expect(image([layer], { User: '65532:65532', Entrypoint: ['/a'] }, 'amd64').digest).toBe(made.digest)
    expect(image([layer], { User: '65532:65532', Entrypoint: ['/b'] }, 'amd64').digest).not.toBe(made.digest)
  })
})

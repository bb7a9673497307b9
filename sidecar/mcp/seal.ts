import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Json } from '../../lib/core/strict.ts'
import { readIfThere, replaceFile } from '../../lib/service/files.ts'

/** Values that leave the gate and come back: nobody else can read, change or make one. */
export interface Seal {
  /** `purpose` is part of the seal: what was sealed for one opens for no other. */
  close: (purpose: string, value: Json) => string
  /** The value of a text the gate made for this purpose, also before it was restarted; undefined for any other. */
  open: (purpose: string, text: string) => Json | undefined
}

const KEY_FILE = 'session.key'
const NONCE = 12
const TAG = 16

/** AES-256-GCM under a key of the spool directory. */
export const createSeal = (dir: string): Seal => {
  const saved = readIfThere(join(dir, KEY_FILE))
  const key = saved && /^[0-9a-f]{64}$/.test(saved) ? Buffer.from(saved, 'hex') : randomBytes(32)
  if (saved !== key.toString('hex')) replaceFile(join(dir, KEY_FILE), key.toString('hex'))
  return {
    close: (purpose, value) => {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose))
      const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
    },
    open: (purpose, text) => {
      const bytes = Buffer.from(text, 'base64url')
      if (bytes.length <= NONCE + TAG || bytes.toString('base64url') !== text) return undefined
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE), { authTagLength: TAG })
        decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(NONCE, NONCE + TAG))
        return JSON.parse(
          Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString('utf8'),
        ) as Json
      } catch {
        return undefined
      }
    },
  }
}

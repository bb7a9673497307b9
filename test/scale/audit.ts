import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** A write as the API server's audit log has it, whoever made it. */
export interface Write {
  /** Who: a username as `system:serviceaccount:remit-system:remit-operator`. */
  user: string
  verb: string
  /** `pods`, `agentidentities/status`. */
  resource: string
  /** The HTTP status of the answer. */
  code: number
}

interface AuditEvent {
  verb: string
  user: { username: string }
  objectRef?: { apiGroup?: string; resource?: string; subresource?: string }
  responseStatus?: { code?: number }
}

/** Questions that are asked with POST and change nothing. */
const QUESTIONS = ['authentication.k8s.io', 'authorization.k8s.io']

/** Only what changes something, and only after it was answered. */
export const auditPolicy = JSON.stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    { level: 'None', resources: QUESTIONS.map((group) => ({ group })) },
    { level: 'Metadata', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] },
    { level: 'None' },
  ],
})

const toWrite = (line: string): Write => {
  const { verb, user, objectRef = {}, responseStatus } = JSON.parse(line) as AuditEvent
  const { resource = '', subresource } = objectRef
  return {
    user: user.username,
    verb,
    resource: subresource ? `${resource}/${subresource}` : resource,
    code: responseStatus?.code ?? 0,
  }
}

/** Reads an audit log as it grows: each call gives the writes that were logged since the one before. */
export const followAudit = (file: string) => {
  let offset = 0
  let rest = ''
  return {
    take: (): Write[] => {
      const fd = openSync(file, 'r')
      try {
        const bytes = Buffer.alloc(fstatSync(fd).size - offset)
        offset += readSync(fd, bytes, 0, bytes.length, offset)
        const lines = (rest + bytes.toString('utf8')).split('\n')
        rest = lines.pop() ?? ''
        return lines.map(toWrite)
      } finally {
        closeSync(fd)
      }
    },
  }
}

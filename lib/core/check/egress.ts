import { isIP } from 'node:net'
import type { PolicySpec } from '../../api/gen/types.ts'
import type { Problems } from '../problem.ts'
import { isShape, REMOVE, unknownKeys } from './shape.ts'

const KEYS = new Set(['cidrs', 'hosts'])

export function checkEgress(
  egress: NonNullable<PolicySpec['egress']>,
  scope: 'Namespace' | 'Cluster',
  found: Problems,
): void {
  if (!isShape(egress, 'spec.egress', '{cidrs: [{cidr: 203.0.113.0/24}]}', found)) return
  unknownKeys(egress, KEYS, 'spec.egress', found)
  if (scope === 'Cluster') {
    const detail = 'cannot be given by a ClusterAgentPolicy, which only restricts'
    found.at('spec.egress', egress, 'PolicyInvalid', detail, REMOVE)
  }
  egress.hosts?.forEach((host, index) => {
    if (isHostPort(host)) return
    const fix = 'Write a host name and a port: "api.model.example:443".'
    found.at(`spec.egress.hosts[${index}]`, host, 'PolicyInvalid', 'is not a host and a port', fix)
  })
  egress.cidrs?.forEach(({ cidr, ports }, index) => {
    if (!isCidr(cidr)) {
      const fix = 'Write an address and a length: 203.0.113.0/24.'
      found.at(`spec.egress.cidrs[${index}].cidr`, cidr, 'PolicyInvalid', 'is not a network', fix)
    }
    ports?.forEach((port, at) => {
      if (isPort(port)) return
      const field = `spec.egress.cidrs[${index}].ports[${at}]`
      found.at(field, port, 'PolicyInvalid', 'is not a port', 'Write a number from 1 to 65535.')
    })
  })
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535

function isHostPort(text: unknown): boolean {
  const match = typeof text === 'string' ? /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?:([1-9][0-9]{0,4})$/.exec(text) : null
  return match !== null && isPort(Number(match[2]))
}

function isCidr(text: string): boolean {
  const match = /^([0-9a-fA-F.:]+)\/(0|[1-9][0-9]{0,2})$/.exec(text)
  if (match === null) return false
  const version = isIP(match[1] as string)
  return version !== 0 && Number(match[2]) <= (version === 4 ? 32 : 128)
}

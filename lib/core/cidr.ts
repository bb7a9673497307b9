import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Address = ReturnType<typeof ipaddr.parse>

/** A network, as `cidr` names it. */
export interface Network {
  version: 4 | 6
  bytes: number[]
  /** How many leading bits an address must share with it. */
  length: number
}

/**
 * The address a text is, or undefined. Only the forms every reader takes for the same address: four decimal numbers
 * without leading zeros, or RFC 4291 without a zone. What C libraries accept beside these (010.0.0.1, 0x7f.1, 127.1,
 * 2130706433) is none.
 */
function addressOf(text: string): Address | undefined {
  return text.includes('%') || isIP(text) === 0 ? undefined : ipaddr.parse(text)
}

/** "10.0.0.0/8" -> the network, or what is wrong with it and what to write instead. */
export function parseNetwork(text: string): Network | { problem: string; fix: string } {
  const form = /^([0-9a-fA-F.:]+)\/(0|[1-9][0-9]{0,2})$/.exec(text)
  const address = form === null ? undefined : addressOf(form[1] as string)
  const length = Number(form?.[2])
  if (address === undefined || length > (address.kind() === 'ipv4' ? 32 : 128)) {
    return { problem: 'is not a network', fix: 'Write an address and a length: 10.0.0.0/8 or 2001:db8::/32.' }
  }
  const family = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6
  const first = family.networkAddressFromCIDR(text).toString()
  if (first !== address.toString()) {
    return { problem: 'has bits beyond its length', fix: `Write ${first}/${length} for the whole network.` }
  }
  if (address.kind() === 'ipv6' && length > 0 && carriesIPv4(address)) {
    return { problem: 'is a network of addresses that stand for IPv4 ones', fix: 'Write the IPv4 network.' }
  }
  return { version: address.kind() === 'ipv4' ? 4 : 6, bytes: address.toByteArray(), length }
}

/** Whether the text is an address in the network, or why that cannot be said. */
export function inNetwork(text: string, network: Network): boolean | { problem: string } {
  const address = addressOf(text)
  if (address === undefined) return { problem: 'not a plain IP address' }
  if (network.version === 4 && address.kind() === 'ipv6') {
    return carriesIPv4(address) ? { problem: 'an IPv6 address that stands for an IPv4 one' } : false
  }
  if (network.version === 6 && address.kind() === 'ipv4') return false
  const bytes = address.toByteArray()
  for (let bit = 0; bit < network.length; bit += 8) {
    const mask = network.length - bit >= 8 ? 0xff : (0xff00 >> (network.length - bit)) & 0xff
    if ((((bytes[bit >> 3] as number) ^ (network.bytes[bit >> 3] as number)) & mask) !== 0) return false
  }
  return true
}

const CARRYING = new Set(['ipv4Mapped', 'rfc6145', 'rfc6052', '6to4', 'teredo'])

/** IPv4-mapped, IPv4-compatible, NAT64, 6to4, Teredo: what is reached is the IPv4 address inside. */
function carriesIPv4(address: Address): boolean {
  const bytes = address.toByteArray()
  const compatible =
    bytes.slice(0, 12).every((byte) => byte === 0) && bytes.slice(12).some((byte, i) => byte > Number(i === 3))
  return compatible || CARRYING.has(address.range())
}

/** Community ID v1: one name for a conversation, the same in every tool that has it (Zeek, Suricata, Elastic ...). */
import { createHash } from 'node:crypto'

const input = Buffer.alloc(2 + 16 + 16 + 2 + 4)

/**
 * "1:" and base64 of SHA-1 over seed u16, address, address, protocol u8, 0 u8, port u16, port u16, the smaller address (then
 * port) first, so both directions have one name. For TCP and UDP (ICMP would need its types in place of the ports).
 *
 * @param addresses eight words, as in `Packet.addresses`
 * @param seed the site's, equal to what its other tools use
 */
export function communityId(addresses: Uint32Array, protocol: number, sourcePort: number, destinationPort: number, seed = 0): string {
  const swapped = isAfter(addresses, sourcePort, destinationPort)
  // Both ends are of one family; the mapped form marks IPv4, of which four bytes count.
  const isV4 = addresses[0] === 0 && addresses[1] === 0 && addresses[2] === 0xFFFF && addresses[6] === 0xFFFF
  let at = input.writeUInt16BE(seed, 0)
  at = writeAddress(addresses, swapped ? 4 : 0, isV4, at)
  at = writeAddress(addresses, swapped ? 0 : 4, isV4, at)
  at = input.writeUInt16BE(protocol << 8, at)
  at = input.writeUInt16BE(swapped ? destinationPort : sourcePort, at)
  at = input.writeUInt16BE(swapped ? sourcePort : destinationPort, at)
  return `1:${createHash('sha1').update(input.subarray(0, at)).digest('base64')}`
}

function writeAddress(addresses: Uint32Array, offset: number, isV4: boolean, at: number): number {
  for (let word = isV4 ? 3 : 0; word < 4; word++) at = input.writeUInt32BE(addresses[offset + word]!, at)
  return at
}

/** Is the source after the destination, as numbers in network order? */
function isAfter(addresses: Uint32Array, sourcePort: number, destinationPort: number): boolean {
  for (let word = 0; word < 4; word++) {
    if (addresses[word] !== addresses[4 + word]) return addresses[word]! > addresses[4 + word]!
  }
  return sourcePort > destinationPort
}

/**
 * The books of this stage. Payload bytes of TCP, by the headers:
 *
 *     payload = delivered + skipped + sliced + duplicate + held + dropped
 *
 * and packets: tcp + udp = packets in.
 */
export class TcpCounters {
  tcp = 0
  udp = 0
  udpPayload = 0
  conversations = 0
  /** Conversations that made room for others. */
  evicted = 0

  payload = 0
  /** Handed to a consumer. */
  delivered = 0
  /** Passed over because the consumer did not want them. */
  skipped = 0
  /** Not captured (snap length), and wanted. */
  sliced = 0
  /** Brought again. */
  duplicate = 0
  /** Waiting above a hole now. */
  held = 0
  /** Payload after the sender's FIN, of a reset or after the end. */
  afterEnd = 0
  /** Out of reach: neither old nor near. */
  outOfReach = 0
  /** Payload of resets, and of packets that belong to no conversation. */
  stray = 0

  /** Never seen, and lost for good (not part of `payload`). */
  lost = 0
  /** Holes given up because a cap was reached, by cap. */
  holesByCap = { heldBytes: 0, heldTotalBytes: 0, heldRanges: 0, aboveHole: 0 }
  conflicts = 0

  get dropped(): number {
    return this.afterEnd + this.outOfReach + this.stray
  }

  get balances(): boolean {
    return this.payload === this.delivered + this.skipped + this.sliced + this.duplicate + this.held + this.dropped
  }
}

/**
 * Every cap of the decoder: what it bounds, its unit, why it has this value, and what happens when it is reached.
 * Each reaching is counted under the cap's name (`capture` event, `dropped`), and what it cut says `complete: false`.
 * Grouped by room; nothing outside this file invents a cap.
 */
export const LIMITS = {
  capture: {
    /** Bytes of one record. Frames stay below 1 MiB even with BIG TCP; a larger claim is a broken file: reading stops there. */
    recordBytes: 16 * 1024 * 1024,
    /** Bytes read at once. Larger reads leave the processor's cache before they are used; smaller ones cost more calls. */
    chunkBytes: 1024 * 1024,
    /** Bytes kept free in front of a chunk for the record that straddles into it; a longer one is gathered in space of its own. */
    straddleBytes: 256 * 1024,
    /** Interfaces of one pcapng section. No machine has more; a packet of a later one ends the file as corrupt. */
    interfaces: 4096,
    /** Microseconds: 9999-12-31, the last day RFC 3339 can write. A later time is a broken clock: the last good one is used. */
    time: 253_402_300_799_000_000,
  },
  net: {
    /** Headers within one frame (tags, labels, extension headers and tunnels all count). Real stacks stay below 15; a deeper one is dropped. */
    layers: 32,
    /** Datagrams whose fragments are waited for at once. Linux waits for about as many; the oldest goes first. */
    fragmentedDatagrams: 2048,
    /** Bytes held for them. The oldest goes first. */
    fragmentBytes: 16 * 1024 * 1024,
    /** Microseconds of capture time that fragments wait for the rest: 30 s, as Linux (RFC 8200 allows 60). */
    fragmentAge: 30_000_000,
  },
  tcp: {
    /** Conversations (TCP and UDP) known at once: 50 MB of half-open ones, 80 MB of established ones. The least recently seen of the least proven class goes first (`tcp/table.ts`). */
    conversations: 100_000,

    // How long a conversation may be silent, in microseconds of capture time. Its `flow` event comes then.
    /** Nothing but SYNs (or stray segments without payload) so far: as Zeek's 5 s and Suricata's 60 s, between the two. */
    halfOpenAge: 10_000_000,
    /** After both ends closed, or a reset: late segments and the copies of a doubled capture are swallowed, not taken for a new conversation. */
    closedAge: 5_000_000,
    /** UDP has no end of its own. */
    datagramAge: 60_000_000,
    /** Only one side was seen, or one side has closed. */
    partialAge: 30 * 60_000_000,
    /** Both sides seen. Modalities hold associations, and a feed of a small clinic is silent over a long weekend: idle is not dead. */
    establishedAge: 3 * 86_400_000_000,
    /** Microseconds: a step of the capture clock beyond this, forward or back, is believed after so many packets in a row agree. */
    clockStep: 3_600_000_000,
    clockWitnesses: 16,

    // Segments out of order.
    /** Bytes of one page of held segments. Larger pages waste more on hostile scattering, smaller ones split more views. */
    pageBytes: 16 * 1024,
    /** Held bytes of one direction (whole pages count). Beyond, its first hole counts as lost. */
    heldBytes: 2 * 1024 * 1024,
    /** Held bytes of all. Beyond, the first hole of the direction that has waited longest counts as lost. */
    heldTotalBytes: 128 * 1024 * 1024,
    /** Ranges held in one direction: 2 MB of full segments, without joining any. Beyond, its first hole counts as lost. */
    heldRanges: 2048,
    /** Bytes between a hole and the end of what is known above it, when the receiver never acknowledged anything, and otherwise (Zeek's two rules). */
    aboveHoleUnacknowledged: 16 * 1024,
    aboveHole: 10 * 1024 * 1024,
    /** A hole that the receiver acknowledged is lost after so many further packets of the conversation, or so many microseconds: mirror ports swap directions. */
    holePackets: 64,
    holeAge: 100_000,
    /** Segments further away than `aboveHole`, each continuing the one before, after which the stream is believed to be there. */
    farWitnesses: 4,
    /** Delivered bytes of one direction that are kept to compare repetitions with, and those of all. Without them, a conflict goes unseen. */
    historyBytes: 16 * 1024,
    historyTotalBytes: 16 * 1024 * 1024,

    // Recognition, and what waits for a dissector.
    /** Bytes at the beginning of a direction after which no protocol may ask for more. */
    probeBytes: 1024,
    /** Bytes that one direction keeps for its dissector. A dissector that asks for more has lost sync. */
    carryBytes: 64 * 1024,
    /** The two above over all conversations. Beyond, what has been kept for longest is lost, and its dissector loses sync. */
    keptTotalBytes: 32 * 1024 * 1024,
    /** Segments of a direction that are probed after sync was lost (about 90 MB of bulk); then the direction is given up. */
    searchSegments: 65_536,
    /** The same while no protocol is known: for conversations whose start was not seen. */
    strangerSegments: 2048,
  },
  dicom: {
    /** Bytes of one text value (AE title, UID, LO). LO has 64 characters, in UTF-8 up to 256 bytes; the rest is cut, and a UID or identifier that is cut is none. */
    textBytes: 256,
    /** Bytes of one value of a query: some sixty UIDs; of a longer list the first are read. */
    valueBytes: 4096,
    /** Bytes that an A-ASSOCIATE unit may claim to be taken for one. It is read item by item, so it holds no memory. */
    associateClaim: 16 * 1024 * 1024,
    /** Bytes of an A-ASSOCIATE unit beyond which its length alone is a violation: 128 contexts with all transfer syntaxes need about 170 KB. */
    associateBytes: 256 * 1024,
    /** Bytes held of one sub-item. UIDs and roles need below 100; of longer ones (tokens, foreign items) only the beginning is looked at. */
    itemBytes: 512,
    /** Bytes a P-DATA-TF may claim where sync is searched for. Negotiated maxima stay below 1 MB; some stacks send 16 MB. */
    pduBytes: 64 * 1024 * 1024,
    /** Bytes of a unit of unknown type that is passed over; a longer one is no DICOM, and sync is lost. */
    unknownPduBytes: 64 * 1024,
    /** Presentation contexts, and transfer syntaxes of one. The standard has room for 128 contexts; further ones are not listed. */
    contexts: 256,
    transferSyntaxes: 64,
    /** Types of unknown items listed. */
    unknownItems: 16,
    /** Bytes of a command set; real ones have below 500. A longer one is not read. */
    commandBytes: 16 * 1024,
    /** SOP class UIDs whose text is kept at hand for the next command. Only speed depends on it. */
    recentUids: 16,
    /** Elements of a data set that are looked at. What identifies an image stands among the first 200; the rest is counted as bytes. */
    elements: 4096,
    /** Bytes of a deflated data set that are inflated at first, and in all where what identifies it is not among them (held meanwhile, as much as of a command set); and what may come of them: beyond, less is inflated. */
    deflatedBytes: 4096,
    deflatedTotalBytes: 16 * 1024,
    inflatedBytes: 256 * 1024,
    /** Contents told of one data set; and bytes that are looked at of each: 132 tell a DICOM file. */
    contents: 16,
    contentBytes: 132,
    /** Nested sequences that are walked into. What is deeper is passed over, or ends the walk where it has no length. */
    depth: 16,
    /** Keys of one query that are named. */
    queryKeys: 32,
    /** Distinct patients counted per query. */
    queryPatients: 10_000,
    /** Requests of one association that wait for their response; the oldest is emitted without. Asynchronous windows stay below 100. */
    pendingOperations: 256,
    /** Responses that wait for their request, and how long (microseconds of capture time): mirror ports swap directions by less than 100 ms. */
    earlyResponses: 16,
    earlyAge: 1_000_000,
    // What one association makes another do.
    /** C-MOVE destinations, C-MOVE requests and storage commitments remembered; the oldest goes first, and what it caused is told without its cause. */
    causes: 4096,
    /** C-MOVEs to one destination at once, and conversations listed of one C-MOVE. */
    movesPerTitle: 16,
    moveFlows: 16,
    /** Microseconds: a C-MOVE without final response is believed in for so long, and one with for so much longer (archives close, and send, late). */
    moveAge: 6 * 3_600_000_000,
    moveGrace: 10_000_000,
    /** Microseconds that a report of storage commitment may take: archives do it at night, or after the weekend. */
    commitmentAge: 7 * 86_400_000_000,

    // DICOMweb (PS3.18).
    /** Segments of a path and parameters of a request that are looked at. */
    pathSegments: 32,
    webParameters: 128,
    /** Bytes of the head of one part of a multipart body; a longer one is no part. */
    partHeadBytes: 4096,
    /** Bytes of the file meta information (PS3.10 7.1) of an instance; a longer one is not read, and the data set guessed at. */
    metaBytes: 8192,
    /** Bytes of a compressed body that are held for its end, and what may come of them; of a larger one no more than its being there is told. */
    encodedBytes: 256 * 1024,
    decodedBytes: 4 * 1024 * 1024,
    /** Distinct studies of one request that are listed. */
    webStudies: 64,
    /** Requests of one connection that wait for their answer; of a deeper pipeline the oldest is told without. */
    webRequests: 64,
    /** Violations of each code that are reported per association. All are counted in it. */
    violationsPerCode: 4,
  },
  hl7: {
    /** Bytes of one segment that are read. Identifying fields stand in front; what is longer (documents) is counted and skipped. */
    segmentBytes: 8192,
    /** Bytes of segments that wait for their end, over all connections. A busy site needs some KB; beyond, what would wait is lost as if the capture had. */
    heldTotalBytes: 32 * 1024 * 1024,
    /** Different segment names counted in one message. Real ones have below 30; the rest is counted as `?`. */
    segmentKinds: 48,
    /** Characters kept of a text or control id. HL7 allows 227 for an application name, and 199-character control ids exist; the rest is cut. */
    textChars: 256,
    /** Pseudonyms kept of one message, of each sort (orders, merged patients). A batch that names more is told by its size. */
    identifiers: 32,
    /** Embedded documents described per message; further ones are only part of its size. */
    documents: 16,
    /** Messages per direction that wait for an acknowledgement or are remembered for a late or repeated one; the oldest is emitted, then forgotten. */
    messages: 512,
    /** Messages remembered of connections that are over, 512 of each sender to a receiver: who got no answer connects anew and sends again. Beyond, those two hosts are forgotten whose connection ended first. Some 6 MB. */
    pastMessages: 32 * 1024,
    /** Microseconds of capture time. Senders give up after 5 to 30 s; a message unanswered for longer is emitted without. */
    acknowledgementWait: 30_000_000,
    /** Connections of the same two hosts that are asked for the message of an acknowledgement; the newest. Interfaces keep one or two each way. */
    pairConnections: 16,
    /** Violations per connection, and of each code: a feed that is always wrong says so a few times, not with each message. */
    violations: 48,
    violationsPerCode: 4,
    /** Bytes of foreign content that are looked at to say what it is. */
    sampleBytes: 256,
  },
  http: {
    /** Bytes of a head that are read. Servers refuse 8 to 16 KB; of a longer one the next start line is looked for. */
    headBytes: 16 * 1024,
  },
  host: {
    /** Hosts whose claims are remembered; those known for longest give way, and what they show is told once more. A hospital of 10,000 devices has some 30,000 addresses. */
    hosts: 50_000,
    /** Claims told of one host: one of each kind of evidence, and some changes. One that changes more often (a shared address, a forger) is not told of. */
    claims: 24,
    /** Packets of each side of a TCP conversation that are looked at: SYN, acknowledgement, negotiation, session setup. */
    packets: 8,
    /** Characters of a name and of a product; bytes of an HTTP head that are read. */
    nameChars: 64,
    productChars: 120,
    headBytes: 2048,
    /** Resource records of one DNS, mDNS or NetBIOS message that are looked at. */
    records: 32,
  },
  /**
   * What one direction always may keep, when `tcp.keptTotalBytes` or `hl7.heldTotalBytes` is used up: headers and ordinary segments are shorter, so whoever fills
   * those with pieces that never end blinds nobody. With as many conversations as there may be that is 200 MB at most.
   */
  smallBytes: 1024,
  /**
   * Bytes, about, of what has not ended over all conversations that hold more than the above: TLS handshakes, HTTP heads and bodies, DICOM command sets and values
   * in pieces, requests without response, patients of queries, presentation contexts; HL7 messages without acknowledgement,
   * and what is remembered of the newest ones. Beyond, of the conversations of like size that hold most together
   * the one whose share has not changed for longest forgets it.
   */
  waitingBytes: 64 * 1024 * 1024,
  tls: {
    /** Bytes of a handshake message that wait for its end. Certificate chains stay below 16 KB; beyond, later messages go unread. */
    handshakeBytes: 64 * 1024,
    /** Characters kept of a name out of a handshake. A DNS name has at most 255. */
    textBytes: 256,
  },
} as const

/**
 * Capture files, read piece by piece: pcap (micro- and nanoseconds, both byte orders) and pcapng.
 * Follows draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. Memory is bounded by one packet, whatever the file claims.
 */

export interface CapturedPacket {
  /** LINKTYPE_ number of the interface it was captured on. */
  readonly linkType: number;
  /** A view, valid until the next push. */
  readonly bytes: Uint8Array;
  /** On the wire; more than was captured when the capture cut packets short. */
  readonly length: number;
}

/** The largest packet captures hold in practice; more means that what is read as a length is none. */
const largestPacket = 262_144;
const mostInterfaces = 65_536;

const pcapHeaderLength = 24;
const recordHeaderLength = 16;
/** Type, length, and the length again at the end. */
const blockOverhead = 12;
/** Enough of any block that is not a packet: byte order, link type, snap length. */
const blockPeek = 16;
const sectionBlock = 0x0a0d0d0a;
const interfaceBlock = 1;
const oldPacketBlock = 2;
const simplePacketBlock = 3;
const packetBlock = 6;

/** What was taken from the bytes at hand: nothing when more are needed. */
interface Piece {
  readonly taken: number;
  readonly packet?: CapturedPacket;
}
const needsMore: Piece = { taken: 0 };

/** Push chunks as they are read, then call finish() once. After a problem nothing more comes out. */
export class CaptureReader {
  #pending: Uint8Array = new Uint8Array(0);
  /** Bytes of a block nobody wants that are still to come. */
  #skip = 0;
  #format: "unknown" | "pcap" | "pcapng" = "unknown";
  #littleEndian = false;
  #interfaces: { readonly linkType: number; readonly snapLength: number }[] = [];
  #packets = 0;
  #problem: string | undefined;

  /** Why reading stopped, in words. */
  get problem(): string | undefined {
    return this.#problem;
  }

  *push(chunk: Uint8Array): Generator<CapturedPacket, void, undefined> {
    let data = chunk;
    if (this.#pending.length > 0) {
      data = new Uint8Array(this.#pending.length + chunk.length);
      data.set(this.#pending);
      data.set(chunk, this.#pending.length);
    }
    let at = 0;
    while (this.#problem === undefined) {
      const skipped = Math.min(this.#skip, data.length - at);
      this.#skip -= skipped;
      at += skipped;
      if (at === data.length) break;
      const { taken, packet } = this.#next(data.subarray(at));
      if (taken === 0) break;
      at += taken;
      if (packet !== undefined) yield packet;
    }
    this.#pending = this.#problem === undefined ? new Uint8Array(data.subarray(at)) : new Uint8Array(0);
  }

  /** To be called at the end of the file; returns the problem, if there is one. */
  finish(): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    if (this.#format === "unknown") {
      this.#problem = this.#pending.length === 0 ? "the file is empty" : "not a pcap or pcapng file";
    } else if (this.#pending.length > 0 || this.#skip > 0) {
      this.#problem = `the file ends in the middle of a record, after packet ${this.#packets}`;
    }
    return this.#problem;
  }

  #next(data: Uint8Array): Piece {
    switch (this.#format) {
      case "unknown":
        return this.#begin(data);
      case "pcap":
        return this.#record(data);
      case "pcapng":
        return this.#block(data);
    }
  }

  #begin(data: Uint8Array): Piece {
    if (data.length < 4) return needsMore;
    const view = viewOf(data);
    const magic = view.getUint32(0);
    if (magic === sectionBlock) {
      this.#format = "pcapng";
      return this.#block(data);
    }
    if (magic === 0xa1b2c3d4 || magic === 0xa1b23c4d) this.#littleEndian = false;
    else if (magic === 0xd4c3b2a1 || magic === 0x4d3cb2a1) this.#littleEndian = true;
    else
      return this.#fail(
        magic >>> 16 === 0x1f8b ? "compressed with gzip: unpack it first" : "not a pcap or pcapng file",
      );
    if (data.length < pcapHeaderLength) return needsMore;
    this.#format = "pcap";
    // The high bits tell about a frame check sequence, which lies behind what the IP length covers.
    const linkType = view.getUint32(20, this.#littleEndian) & 0xffff;
    this.#interfaces = [{ linkType, snapLength: 0 }];
    return { taken: pcapHeaderLength };
  }

  #record(data: Uint8Array): Piece {
    if (data.length < recordHeaderLength) return needsMore;
    const view = viewOf(data);
    const captured = view.getUint32(8, this.#littleEndian);
    if (captured > largestPacket) return this.#tooLarge(captured);
    const end = recordHeaderLength + captured;
    if (data.length < end) return needsMore;
    const length = view.getUint32(12, this.#littleEndian);
    return this.#packet(end, 0, data.subarray(recordHeaderLength, end), length);
  }

  #block(data: Uint8Array): Piece {
    if (data.length < blockOverhead) return needsMore;
    const view = viewOf(data);
    const isSection = view.getUint32(0) === sectionBlock;
    if (isSection) {
      const order = view.getUint32(8);
      if (order !== 0x1a2b3c4d && order !== 0x4d3c2b1a) return this.#fail("a section without byte order mark");
      this.#littleEndian = order === 0x4d3c2b1a;
      this.#interfaces = [];
    }
    const type = isSection ? sectionBlock : view.getUint32(0, this.#littleEndian);
    const total = view.getUint32(4, this.#littleEndian);
    if (total < blockOverhead || total % 4 !== 0) return this.#fail(`a block of ${total} bytes ${this.#place()}`);
    if (type === packetBlock || type === simplePacketBlock || type === oldPacketBlock) {
      if (total > largestPacket * 2) return this.#tooLarge(total);
      if (data.length < total) return needsMore;
      return this.#packetBlock(type, data.subarray(0, total));
    }
    if (type === interfaceBlock) {
      if (total < blockPeek + 4) return this.#fail(`an interface block of ${total} bytes ${this.#place()}`);
      if (data.length < blockPeek) return needsMore;
      if (this.#interfaces.length === mostInterfaces) return this.#fail("too many interfaces");
      const linkType = view.getUint16(8, this.#littleEndian);
      this.#interfaces.push({ linkType, snapLength: view.getUint32(12, this.#littleEndian) });
    }
    // Names, statistics, secrets: of any size, never kept.
    this.#skip = total - blockOverhead;
    return { taken: blockOverhead };
  }

  #packetBlock(type: number, block: Uint8Array): Piece {
    const view = viewOf(block);
    const simple = type === simplePacketBlock;
    const bodyAt = simple ? 12 : 28;
    const space = block.length - bodyAt - 4;
    if (space < 0) return this.#fail(`a packet block of ${block.length} bytes ${this.#place()}`);
    const from = simple ? 0 : type === packetBlock ? view.getUint32(8, this.#littleEndian) : this.#oldInterface(view);
    const length = view.getUint32(simple ? 8 : 24, this.#littleEndian);
    // A simple packet block does not say how much was captured: it follows from the snap length, 0 being none.
    const limit = this.#interfaces[from]?.snapLength || largestPacket;
    const captured = simple ? Math.min(length, limit, space) : view.getUint32(20, this.#littleEndian);
    if (captured > space) return this.#fail(`packet ${this.#packets + 1} claims more bytes than its block has`);
    if (captured > largestPacket) return this.#tooLarge(captured);
    return this.#packet(block.length, from, block.subarray(bodyAt, bodyAt + captured), length);
  }

  #oldInterface(view: DataView): number {
    return view.getUint16(8, this.#littleEndian);
  }

  #packet(taken: number, from: number, bytes: Uint8Array, length: number): Piece {
    const linkType = this.#interfaces[from]?.linkType;
    if (linkType === undefined)
      return this.#fail(`packet ${this.#packets + 1} is of an interface that is not described`);
    this.#packets++;
    return { taken, packet: { linkType, bytes, length } };
  }

  #tooLarge(claimed: number): Piece {
    return this.#fail(
      `packet ${this.#packets + 1} claims ${claimed} bytes, more than any packet has: the file is damaged`,
    );
  }

  #place(): string {
    return `after packet ${this.#packets}: the file is damaged`;
  }

  #fail(problem: string): Piece {
    this.#problem = problem;
    return needsMore;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

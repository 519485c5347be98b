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
  /** When it was captured, in nanoseconds since 1970; undefined where the file does not say. */
  readonly at: bigint | undefined;
}

/** How an interface counts time: `perSecond` units, `offset` seconds later than the file says. */
interface Clock {
  readonly perSecond: bigint;
  readonly offset: bigint;
}

interface Interface {
  readonly linkType: number;
  readonly snapLength: number;
  readonly clock: Clock;
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
/** Options of an interface block beyond this are not looked for. */
const largestInterfaceBlock = 65_536;
const timeResolution = 9;
const timeOffset = 14;
const microseconds: Clock = { perSecond: 1_000_000n, offset: 0n };
const nanoseconds: Clock = { perSecond: 1_000_000_000n, offset: 0n };
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

const pcapNumbers = [0xa1b2c3d4, 0xa1b23c4d, 0xd4c3b2a1, 0x4d3cb2a1];

/** By its first four bytes. */
export function isCapture(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const magic = viewOf(bytes).getUint32(0);
  return magic === sectionBlock || pcapNumbers.includes(magic);
}

/** Push chunks as they are read, then call finish() once. After a problem nothing more comes out. */
export class CaptureReader {
  #pending: Uint8Array = new Uint8Array(0);
  /** Bytes of a block nobody wants that are still to come. */
  #skip = 0;
  #format: "unknown" | "pcap" | "pcapng" = "unknown";
  #littleEndian = false;
  #interfaces: Interface[] = [];
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
    const isNano = (magic & 0xffff) === 0x3c4d || magic >>> 16 === 0x4d3c;
    this.#interfaces = [{ linkType, snapLength: 0, clock: isNano ? nanoseconds : microseconds }];
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
    const clock = this.#interfaces[0]?.clock ?? microseconds;
    const units =
      BigInt(view.getUint32(0, this.#littleEndian)) * clock.perSecond + BigInt(view.getUint32(4, this.#littleEndian));
    return this.#packet(end, 0, data.subarray(recordHeaderLength, end), length, units);
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
      if (data.length < (total <= largestInterfaceBlock ? total : blockPeek)) return needsMore;
      if (this.#interfaces.length === mostInterfaces) return this.#fail("too many interfaces");
      this.#interfaces.push({
        linkType: view.getUint16(8, this.#littleEndian),
        snapLength: view.getUint32(12, this.#littleEndian),
        clock: total <= largestInterfaceBlock ? this.#clockOf(data.subarray(blockPeek, total - 4)) : microseconds,
      });
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
    const units = simple
      ? undefined
      : (BigInt(view.getUint32(12, this.#littleEndian)) << 32n) | BigInt(view.getUint32(16, this.#littleEndian));
    return this.#packet(block.length, from, block.subarray(bodyAt, bodyAt + captured), length, units);
  }

  /** From the options of an interface block: code, length and value each, padded to four bytes. */
  #clockOf(options: Uint8Array): Clock {
    const view = viewOf(options);
    let { perSecond, offset } = microseconds;
    for (let at = 0; at + 4 <= options.length; ) {
      const code = view.getUint16(at, this.#littleEndian);
      const length = view.getUint16(at + 2, this.#littleEndian);
      const value = at + 4;
      if (code === 0 || value + length > options.length) break;
      if (code === timeResolution && length === 1) {
        const exponent = view.getUint8(value);
        perSecond = exponent < 128 ? 10n ** BigInt(exponent) : 2n ** BigInt(exponent - 128);
      }
      if (code === timeOffset && length === 8) offset = view.getBigInt64(value, this.#littleEndian);
      at = value + ((length + 3) & ~3);
    }
    return { perSecond, offset };
  }

  #oldInterface(view: DataView): number {
    return view.getUint16(8, this.#littleEndian);
  }

  #packet(taken: number, from: number, bytes: Uint8Array, length: number, units: bigint | undefined): Piece {
    const origin = this.#interfaces[from];
    if (origin === undefined) return this.#fail(`packet ${this.#packets + 1} is of an interface that is not described`);
    this.#packets++;
    const { perSecond, offset } = origin.clock;
    const at = units === undefined ? undefined : (units * 1_000_000_000n) / perSecond + offset * 1_000_000_000n;
    return { taken, packet: { linkType: origin.linkType, bytes, length, at } };
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

/**
 * Classic BPF programs (linux/filter.h) that a socket runs in the kernel on each packet before it is queued.
 * Eight bytes an instruction: code u16, jump if true u8, jump if false u8, operand u32.
 */
import { ETH_P_8021Q, PACKET_OTHERHOST } from "./constants.ts";

const LOAD = { 1: 0x30, 2: 0x28, 4: 0x20 } as const;
const LOAD_INDEXED = { 1: 0x50, 2: 0x48, 4: 0x40 } as const;
const LOAD_X_IPV4_HEADER_LENGTH = 0xb1;
const AND = 0x54;
const JUMP = 0x05;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;

const KEEP_ALL = 0xffffffff;
/** A jump offset is one byte. */
const MAX_VALUES = 255;
/** BPF_MAXINSNS: the kernel takes no longer programs. */
const MAX_INSTRUCTIONS = 4096;

/** Offsets that stand for facts about the packet instead of its bytes. */
const SKF_AD_PKTTYPE = -0x1000 + 4;
const SKF_AD_IFINDEX = -0x1000 + 8;

/**
 * Added to an offset it counts from the network header, wherever the socket's data begins: how a raw IPv6 socket,
 * whose data begin behind the IPv6 header, is filtered by hop limit.
 */
export const SKF_NET_OFF = -0x100000;

/** One field, big-endian, and the values with which a packet may pass. */
export interface FilterTest {
  readonly offset: number;
  readonly size: 1 | 2 | 4;
  readonly mask?: number;
  readonly oneOf: readonly number[];
  /** Count the offset from behind the IPv4 header that the data begin with. */
  readonly afterIpv4Header?: boolean;
}

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

/** Lets no packet through: attached first, so that nothing is queued before the socket is set up. */
export function dropAll(): Uint8Array {
  return encode([[RETURN, 0, 0, 0]]);
}

export function acceptAll(): Uint8Array {
  return encode([[RETURN, 0, 0, KEEP_ALL]]);
}

/** Lets a packet through that passes every test; one too short for a test does not pass. */
export function acceptWhen(tests: readonly FilterTest[]): Uint8Array {
  return encode([...tests.flatMap(passOrDrop), [RETURN, 0, 0, KEEP_ALL]]);
}

/** For packet sockets of type SOCK_RAW: frames of these EtherTypes, VLAN tag in the frame or not. */
export function acceptEtherTypes(etherTypes: readonly number[]): Uint8Array {
  return encode([
    [LOAD[2], 0, 0, 12],
    [JUMP_IF_EQUAL, 0, 1, ETH_P_8021Q],
    [LOAD[2], 0, 0, 16],
    ...equalsOneOf(etherTypes),
    [RETURN, 0, 0, KEEP_ALL],
  ]);
}

/** What is waited for on one interface: packets with one of these 32-bit words. */
export interface Watched {
  readonly interfaceIndex: number;
  readonly words: readonly number[];
}

/**
 * Lets a packet through that came in by one of the interfaces for this host or for all, and has one of that interface's
 * words at `offset`. Undefined when the lists are too long for a program.
 */
export function acceptWatched(offset: number, watched: readonly Watched[]): Uint8Array | undefined {
  const program: Instruction[] = [
    [LOAD[4], 0, 0, SKF_AD_PKTTYPE],
    [JUMP_IF_EQUAL, 0, 1, PACKET_OTHERHOST],
    [RETURN, 0, 0, 0],
    [LOAD[4], 0, 0, SKF_AD_IFINDEX],
  ];
  for (const { interfaceIndex, words } of watched) {
    const block: Instruction[] = [[LOAD[4], 0, 0, offset], ...keepOneOf(words), [RETURN, 0, 0, 0]];
    program.push([JUMP_IF_EQUAL, 1, 0, interfaceIndex], [JUMP, 0, 0, block.length], ...block);
  }
  program.push([RETURN, 0, 0, 0]);
  return program.length > MAX_INSTRUCTIONS ? undefined : encode(program);
}

/** Keeps the packet when the loaded value is one of these, and goes on behind itself otherwise. */
function keepOneOf(values: readonly number[]): Instruction[] {
  const instructions: Instruction[] = [];
  for (let start = 0; start < values.length; start += MAX_VALUES) {
    const some = values.slice(start, start + MAX_VALUES);
    // The last jump of a chunk leads past the unconditional one.
    for (const [i, value] of some.entries()) instructions.push([JUMP_IF_EQUAL, some.length - i, 0, value]);
    instructions.push([JUMP, 0, 0, 1], [RETURN, 0, 0, KEEP_ALL]);
  }
  return instructions;
}

function passOrDrop({ offset, size, mask, oneOf, afterIpv4Header = false }: FilterTest): Instruction[] {
  const load: Instruction = [afterIpv4Header ? LOAD_INDEXED[size] : LOAD[size], 0, 0, offset];
  return [
    ...(afterIpv4Header ? [[LOAD_X_IPV4_HEADER_LENGTH, 0, 0, 0] as const] : []),
    load,
    ...(mask === undefined ? [] : [[AND, 0, 0, mask] as const]),
    ...equalsOneOf(oneOf),
  ];
}

/** Goes on behind itself when the loaded value is one of these, and drops the packet otherwise. */
function equalsOneOf(values: readonly number[]): Instruction[] {
  if (values.length > MAX_VALUES)
    throw new RangeError(`a filter test has at most ${MAX_VALUES} values, got ${values.length}`);
  return [...values.map((value, i): Instruction => [JUMP_IF_EQUAL, values.length - i, 0, value]), [RETURN, 0, 0, 0]];
}

function encode(instructions: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(instructions.length * 8));
  for (const [i, [code, ifTrue, ifFalse, operand]] of instructions.entries()) {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, ifTrue);
    view.setUint8(i * 8 + 3, ifFalse);
    view.setUint32(i * 8 + 4, operand >>> 0, true);
  }
  return new Uint8Array(view.buffer);
}

/** Filters run by the kernel, on UDP loopback sockets: their data begin with the 8-byte UDP header. */
import { describe, expect, test } from "vitest";
import { ETH_P_ARP, ETH_P_IPV6 } from "../../src/socket/constants.ts";
import {
  acceptAll,
  acceptEtherTypes,
  acceptWatched,
  acceptWhen,
  dropAll,
  type FilterTest,
  SKF_NET_OFF,
} from "../../src/socket/filter.ts";
import { interfaceIndex } from "../../src/socket/interface.ts";
import { batch, udp } from "./support.ts";

const UDP_HEADER = 8;

/** Which of the payloads a socket with this filter gets. */
function passing(filter: Uint8Array, payloads: readonly (readonly number[])[]): number[][] {
  const socket = udp();
  socket.attachFilter(filter);
  for (const payload of payloads) socket.send(Uint8Array.from(payload), socket.name());
  const received = batch(socket.receive());
  return Array.from({ length: received.count }, (_, i) => [...received.bytes(i)]);
}

const byte = (offset: number, ...oneOf: number[]): FilterTest => ({ offset: UDP_HEADER + offset, size: 1, oneOf });

test("nothing passes the closed filter, everything the open one", () => {
  expect(passing(dropAll(), [[1], [2, 3]])).toEqual([]);
  expect(passing(acceptAll(), [[1], [2, 3]])).toEqual([[1], [2, 3]]);
});

test("a packet passes when every field has one of its values", () => {
  const filter = acceptWhen([byte(0, 0x31, 0x21), byte(1, 51, 52, 53)]);
  const packets = [
    [0x31, 51],
    [0x21, 53],
    [0x31, 54],
    [0x41, 51],
    [0x31, 52, 9],
  ];
  expect(passing(filter, packets)).toEqual([
    [0x31, 51],
    [0x21, 53],
    [0x31, 52, 9],
  ]);
});

test("a packet too short for a test does not pass", () => {
  expect(passing(acceptWhen([byte(1, 0)]), [[1], [1, 0]])).toEqual([[1, 0]]);
});

test("fields of two and four bytes and masks work", () => {
  const tests: FilterTest[] = [
    { offset: UDP_HEADER, size: 2, oneOf: [0x0806] },
    { offset: UDP_HEADER + 2, size: 4, mask: 0xff0000ff, oneOf: [0xff000001] },
  ];
  const packets = [
    [8, 6, 255, 1, 2, 1],
    [8, 6, 254, 1, 2, 1],
    [8, 0, 255, 1, 2, 1],
  ];
  expect(passing(acceptWhen(tests), packets)).toEqual([[8, 6, 255, 1, 2, 1]]);
});

test("all 255 routers of a link fit one test", () => {
  const every = Array.from({ length: 255 }, (_, i) => i + 1);
  expect(passing(acceptWhen([byte(0, ...every)]), [[0], [1], [128], [255]])).toEqual([[1], [128], [255]]);
  expect(() => acceptWhen([byte(0, ...every, 256)])).toThrow("at most 255 values, got 256");
});

test("an offset from the network header reaches what the socket does not show", () => {
  const destination = (...oneOf: number[]): FilterTest => ({ offset: SKF_NET_OFF + 16, size: 4, oneOf });
  expect(passing(acceptWhen([destination(0x7f000001)]), [[1]])).toEqual([[1]]);
  expect(passing(acceptWhen([destination(0x7f000002)]), [[1]])).toEqual([]);
});

describe("words that are watched for on an interface", () => {
  const lo = interfaceIndex("lo");
  const word = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  const program = (interfaceIndex: number, words: readonly number[]) => {
    const built = acceptWatched(UDP_HEADER, [
      { interfaceIndex: lo + 1000, words: [1, 2, 3] },
      { interfaceIndex, words },
      { interfaceIndex: lo + 1001, words: [4] },
    ]);
    if (built === undefined) throw new Error("too long");
    return built;
  };

  test("pass on it and on no other one", () => {
    const packets = [word(0xc0000201), word(0xc0000202), word(1), word(4), [1, 2]];
    expect(passing(program(lo, [0xc0000201, 7]), packets)).toEqual([word(0xc0000201)]);
    expect(passing(program(lo + 1002, [0xc0000201]), packets)).toEqual([]);
  });

  test.each([1, 255, 256, 3000])("each of %d passes", (count) => {
    const words = Array.from({ length: count }, (_, i) => 0x0a000000 + i);
    const [first = 0, last = 0] = [words[0], words.at(-1)];
    const packets = [word(first - 1), word(first), word(last), word(last + 1)];
    expect(passing(program(lo, words), packets)).toEqual(
      count === 1 ? [word(first), word(first)] : [word(first), word(last)],
    );
  });

  test("more than a program holds is not cut off", () => {
    const words = Array.from({ length: 4100 }, (_, i) => i);
    expect(acceptWatched(0, [{ interfaceIndex: 1, words }])).toBeUndefined();
  });
});

test("a program counts 8 bytes an instruction, little-endian", () => {
  expect(Buffer.from(acceptWhen([{ offset: 8, size: 1, oneOf: [255] }])).toString("hex")).toBe(
    "3000000008000000" + "15000100ff000000" + "0600000000000000" + "06000000ffffffff",
  );
  expect(acceptEtherTypes([ETH_P_ARP, ETH_P_IPV6])).toHaveLength(7 * 8);
});

test("what is no program is refused", () => {
  expect(() => udp().attachFilter(Uint8Array.of(1, 2, 3))).toThrow("attach filter to test socket: EINVAL");
  expect(() => udp().attachFilter(new Uint8Array(8))).toThrow("EINVAL");
});

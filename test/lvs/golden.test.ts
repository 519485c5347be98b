// The codecs against bytes captured from ipvsadm and the kernel.
import { expect, test } from "vitest";
import * as k from "../../src/lvs/constants.ts";
import { decodeDestination } from "../../src/lvs/destination-codec.ts";
import type { ServiceAddress, TimeoutParameters } from "../../src/lvs/parameters.ts";
import {
  encodeOperation,
  encodeServiceCommand,
  encodeSetTimeouts,
  encodeStartSyncDaemon,
  encodeStopSyncDaemon,
} from "../../src/lvs/requests.ts";
import { decodeService } from "../../src/lvs/service-codec.ts";
import { decodeInfo, decodeSyncDaemon, decodeTimeouts } from "../../src/lvs/sync-codec.ts";
import type { KernelSyncDaemon, Operation, SyncRole } from "../../src/lvs/table.ts";
import { AttributeReader, align } from "../../src/netlink/attributes.ts";
import { GENERIC_HEADER } from "../../src/netlink/generic.ts";
import { readU16, writeU16 } from "../../src/netlink/host-order.ts";
import { toHex } from "../support/hex.ts";
import { ipvsGoldens } from "../support/ipvs-golden.ts";

const decoders: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  service: decodeService,
  server: (bytes) => decodeDestination(bytes, 4),
  daemon: decodeSyncDaemon,
  timeouts: decodeTimeouts,
  info: decodeInfo,
};

// The file decides which of the shapes its value has.
const encoders: Readonly<Record<string, (value: never) => Uint8Array>> = {
  operation: (value: Operation) => encodeOperation(value),
  "start-daemon": (value: KernelSyncDaemon) => encodeStartSyncDaemon(value),
  "stop-daemon": (value: SyncRole) => encodeStopSyncDaemon(value),
  "set-timeouts": (value: TimeoutParameters) => encodeSetTimeouts(value),
  zero: (value: ServiceAddress) => encodeServiceCommand(k.IPVS_CMD_ZERO, value),
};

test.each(ipvsGoldens(...Object.keys(decoders)))(
  "$name is decoded as the kernel meant it",
  ({ kind, bytes, value }) => {
    expect(decoders[kind]?.(bytes)).toEqual(value);
  },
);

/** Attributes by their path, as in "1/3": of the service, its address. Addresses are as long as their family says. */
function attributes(body: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  const outer = new AttributeReader(body, GENERIC_HEADER);
  while (outer.next()) {
    if (outer.type >= k.IPVS_CMD_ATTR_TIMEOUT_TCP) found.set(`${outer.type}`, toHex(outer.view()));
    else {
      const inner = outer.nested();
      while (inner.next()) found.set(`${outer.type}/${inner.type}`, toHex(inner.view()));
    }
  }
  expect(outer.bad).toBe(false);
  for (const [address, family] of [
    ["1/3", "1/1"],
    ["2/1", "2/11"],
  ] as const) {
    const value = found.get(address);
    if (value !== undefined && found.get(family) === "0200") found.set(address, value.slice(0, 8));
  }
  return found;
}

/** What ipvsadm sends besides, and the kernel does not look at: the settings of a service or server that is only named. */
const besides: Readonly<Record<number, RegExp>> = {
  [k.IPVS_CMD_DEL_SERVICE]: /^1\/[6-9]$/,
  [k.IPVS_CMD_NEW_DEST]: /^1\/[6-9]$|^2\/1[345]$/,
  [k.IPVS_CMD_SET_DEST]: /^1\/[6-9]$|^2\/1[345]$/,
  [k.IPVS_CMD_DEL_DEST]: /^1\/[6-9]$|^2\/([3-6]|1[345])$/,
  [k.IPVS_CMD_DEL_DAEMON]: /^3\/[23]$/,
  [k.IPVS_CMD_NEW_DAEMON]: /^$/,
  [k.IPVS_CMD_ZERO]: /^1\/[6-9]$/,
};
/** And what we send besides: a group and a port that are the kernel's own, told all the same. */
const ours: Readonly<Record<number, RegExp>> = { [k.IPVS_CMD_NEW_DAEMON]: /^3\/[78]$/ };

test.each(ipvsGoldens(...Object.keys(encoders)))("$name is encoded as ipvsadm does", ({ kind, bytes, value }) => {
  const encoded = encoders[kind]?.(value as never) ?? new Uint8Array();
  const command = bytes[0] ?? 0;
  expect(toHex(encoded.subarray(0, 4))).toBe(toHex(bytes.subarray(0, 4)));
  const sent = attributes(encoded);
  const theirs = attributes(bytes);
  for (const key of [...theirs.keys()]) if (!sent.has(key) && besides[command]?.test(key)) theirs.delete(key);
  for (const key of [...sent.keys()]) if (!theirs.has(key) && ours[command]?.test(key)) sent.delete(key);
  expect(Object.fromEntries(sent)).toEqual(Object.fromEntries(theirs));
});

test("the addresses in requests are as long as their family", () => {
  for (const { value } of ipvsGoldens("operation")) {
    const outer = new AttributeReader(encodeOperation(value as Operation), GENERIC_HEADER);
    while (outer.next()) {
      const family = outer.type === k.IPVS_CMD_ATTR_SERVICE ? k.IPVS_SVC_ATTR_AF : k.IPVS_DEST_ATTR_ADDR_FAMILY;
      const address = outer.type === k.IPVS_CMD_ATTR_SERVICE ? k.IPVS_SVC_ATTR_ADDR : k.IPVS_DEST_ATTR_ADDR;
      const inner = outer.nested();
      let length = 0;
      while (inner.next()) {
        if (inner.type === family) length = inner.u16() === 2 ? 4 : 16;
        if (inner.type === address) expect(inner.length).toBe(length);
      }
    }
  }
});

/** The body without the attribute of this type in its only nest. */
function without(body: Uint8Array, type: number): Uint8Array {
  const kept = [...body.subarray(0, GENERIC_HEADER + 4)];
  for (let at = GENERIC_HEADER + 4; at < body.length; at += align(readU16(body, at)))
    if (readU16(body, at + 2) !== type) kept.push(...body.subarray(at, at + align(readU16(body, at))));
  const result = Uint8Array.from(kept);
  writeU16(result, GENERIC_HEADER, result.length - GENERIC_HEADER);
  return result;
}

test("a kernel without 64-bit counters is read by its others", () => {
  const counted = ipvsGoldens("service", "server").filter(({ name }) => name.endsWith("-53"));
  expect(counted).toHaveLength(2);
  for (const { kind, bytes, value } of counted) {
    const wide = kind === "service" ? k.IPVS_SVC_ATTR_STATS64 : k.IPVS_DEST_ATTR_STATS64;
    const narrow = without(bytes, wide);
    expect(narrow.length).toBeLessThan(bytes.length - 80);
    expect(decoders[kind]?.(narrow)).toEqual(value);
    const none = decoders[kind]?.(without(narrow, k.IPVS_SVC_ATTR_STATS)) as { traffic: { connections: number } };
    expect(none.traffic.connections).toBe(0);
  }
});

test("a kernel that does not tell a server's family means its service's", () => {
  const [golden] = ipvsGoldens("server").filter(({ name }) => name === "reply-server-192.0.2.21-8080");
  if (golden === undefined) throw new Error("no such golden");
  expect(decodeDestination(without(golden.bytes, k.IPVS_DEST_ATTR_ADDR_FAMILY), 4)).toEqual(golden.value);
});

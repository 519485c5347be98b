import { expect, test } from "vitest";
import {
  type AddressEntry,
  IFA_F_DADFAILED,
  IFA_F_PERMANENT,
  IFA_F_SECONDARY,
  IFA_F_TENTATIVE,
} from "../../src/netlink/address.ts";
import type { Link } from "../../src/netlink/link.ts";
import { assess, type Surroundings } from "../../src/vrrp/readiness.ts";
import { address } from "../support/packets.ts";
import { dualStack, instance, virtualAddress } from "./samples.ts";

const link: Link = {
  index: 2,
  name: "eth0",
  type: 1,
  flags: 0x11043,
  up: true,
  running: true,
  mtu: 1500,
  mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
};

function entry(text: string, flags = IFA_F_PERMANENT, prefixLength = text.includes(":") ? 64 : 24): AddressEntry {
  return {
    family: text.includes(":") ? 6 : 4,
    index: 2,
    address: address(text),
    prefixLength,
    scope: 0,
    flags,
    protocol: 0,
    validLifetime: Number.POSITIVE_INFINITY,
    preferredLifetime: Number.POSITIVE_INFINITY,
  };
}

const virtual = ["192.0.2.1", "fe80::51", "2001:db8::51"].map(address).map(String);
const around = (addresses: readonly AddressEntry[], changes: Partial<Surroundings> = {}): Surroundings => ({
  link,
  addresses,
  exists: () => true,
  isVirtual: (candidate) => virtual.includes(String(candidate.address)),
  ...changes,
});
const both = [entry("192.0.2.11"), entry("2001:db8::11"), entry("fe80::11")];

test("everything is there: no reasons, the primary address and the link-local one are the sources", () => {
  expect(assess(dualStack(), around(both))).toEqual({
    reasons: [],
    link,
    source4: address("192.0.2.11"),
    source6: address("fe80::11"),
  });
});

test.each([
  ["interface eth0 does not exist", { link: undefined }],
  ["interface eth0 is down", { link: { ...link, up: false, running: false } }],
  ["interface eth0 has no carrier", { link: { ...link, running: false } }],
  [
    "interface eth0 is a port of a bridge, which takes the packets that come in",
    { link: { ...link, master: 7, masterKind: "bridge" } },
  ],
])("%s", (reason, changes) => {
  expect(assess(dualStack(), around(both, changes)).reasons).toEqual([reason]);
});

test.each([
  ["interface eth0 has no IPv4 address", []],
  ["interface eth0 has no IPv4 address other than the virtual ones", [entry("192.0.2.1")]],
])("%s", (reason, addresses) => {
  expect(assess(instance(), around(addresses)).reasons).toEqual([reason]);
});

test("an interface that virtual addresses are put on must exist as well", () => {
  const parameters = instance({ virtualAddresses: [virtualAddress("192.0.2.1", { device: "eth1" })] });
  expect(assess(parameters, around(both, { exists: (name) => name !== "eth1" })).reasons).toEqual([
    "interface eth1 does not exist",
  ]);
});

test("every missing condition is told at once", () => {
  const readiness = assess(dualStack(), around([], { link: { ...link, up: false, running: false } }));
  expect(readiness.reasons).toEqual([
    "interface eth0 is down",
    "interface eth0 has no IPv4 address",
    "interface eth0 has no IPv6 link-local address",
  ]);
});

test.each([
  ["interface eth0 has no IPv6 link-local address", [entry("2001:db8::11")]],
  ["interface eth0 has no IPv6 link-local address", [entry("fe80::51")]],
  [
    "interface eth0: link-local address fe80::11 is tentative (duplicate address detection has not finished)",
    [entry("fe80::11", IFA_F_TENTATIVE)],
  ],
  [
    "interface eth0: link-local address fe80::11 is a duplicate of another host's (address detection failed)",
    [entry("fe80::11", IFA_F_TENTATIVE | IFA_F_DADFAILED)],
  ],
])("%s", (reason, addresses) => {
  expect(assess(dualStack(), around([entry("192.0.2.11"), ...addresses])).reasons).toEqual([reason]);
});

test("an interface in a VRF hears its own packets", () => {
  expect(assess(dualStack(), around(both, { link: { ...link, master: 7, masterKind: "vrf" } })).reasons).toEqual([]);
});

test("a usable link-local address is preferred to a tentative one", () => {
  const addresses = [entry("192.0.2.11"), entry("fe80::11", IFA_F_TENTATIVE), entry("fe80::12")];
  expect(assess(dualStack(), around(addresses))).toMatchObject({ reasons: [], source6: address("fe80::12") });
});

test("the primary IPv4 address is preferred to a secondary one, whatever the order", () => {
  const addresses = [entry("192.0.2.99", IFA_F_SECONDARY), entry("192.0.2.11")];
  expect(assess(instance(), around(addresses)).source4).toEqual(address("192.0.2.11"));
});

test("the source is never a virtual address, except for the address owner", () => {
  const addresses = [entry("192.0.2.1"), entry("192.0.2.11")];
  expect(assess(instance(), around(addresses)).source4).toEqual(address("192.0.2.11"));
  expect(assess(instance({ priority: 255 }), around(addresses)).source4).toEqual(address("192.0.2.1"));
});

test("a configured source is used when it is there", () => {
  const addresses = [...both, entry("198.51.100.7"), entry("fe80::77")];
  const parameters = dualStack({ source4: "198.51.100.7", source6: "fe80::77" });
  expect(assess(parameters, around(addresses))).toMatchObject({
    reasons: [],
    source4: address("198.51.100.7"),
    source6: address("fe80::77"),
  });
});

test("a configured source that is missing or not usable is a reason", () => {
  const parameters = dualStack({ source4: "198.51.100.7", source6: "fe80::77" });
  expect(assess(parameters, around([...both, entry("fe80::77", IFA_F_TENTATIVE)])).reasons).toEqual([
    "source address 198.51.100.7 is not on interface eth0",
    "source address fe80::77 is tentative (duplicate address detection has not finished)",
  ]);
});

test("the largest list that fits an unfragmented datagram is accepted, one more is a reason", () => {
  const ipv6 = Array.from({ length: 91 }, (_, i) => virtualAddress(i === 0 ? "fe80::51" : `2001:db8::${i}`));
  const parameters = (count: number) => dualStack({ families: [6], virtualAddresses: ipv6.slice(0, count) });
  expect(assess(parameters(90), around(both)).reasons).toEqual([]);
  expect(assess(parameters(91), around(both)).reasons).toEqual([
    "an advertisement with 91 IPv6 addresses has 1504 bytes, the MTU of eth0 is 1500",
  ]);
});

test("version 2 needs eight bytes more for its authentication field", () => {
  const virtualAddresses = [virtualAddress("192.0.2.1")];
  const narrow = around(both, { link: { ...link, mtu: 39 } });
  expect(assess(instance({ version: 3, virtualAddresses }), narrow).reasons).toEqual([]);
  expect(assess(instance({ version: 2, virtualAddresses }), narrow).reasons).toEqual([
    "an advertisement with 1 IPv4 addresses has 40 bytes, the MTU of eth0 is 39",
  ]);
});

test("with a virtual MAC address of its own an address must not be on the interface below as well", () => {
  const parameters = instance({
    priority: 255,
    virtualMac: { device4: "vrrp.51", sendFromBase: false },
    virtualAddresses: [virtualAddress("192.0.2.1", { device: "vrrp.51" })],
  });
  const reason = "192.0.2.1 is on interface eth0 itself, which would answer for it too: remove it there";
  expect(assess(parameters, around([...both, entry("192.0.2.1")])).reasons).toEqual([reason]);
  expect(assess(parameters, around([...both, { ...entry("192.0.2.1"), protocol: 112 }])).reasons).toEqual([]);
  expect(assess(parameters, around(both)).reasons).toEqual([]);
  // Of a device that is not there yet nothing is said: it is made.
  expect(assess(parameters, around(both, { exists: () => false })).reasons).toEqual([]);
});

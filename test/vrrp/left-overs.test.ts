import { expect, test } from "vitest";
import { type AddressEntry, IFA_F_PERMANENT } from "../../src/netlink/address.ts";
import { findLeftOvers } from "../../src/vrrp/left-overs.ts";
import { addressOwner } from "../../src/vrrp/virtual-entry.ts";
import { formatAddress } from "../../src/wire/address.ts";
import { address } from "../support/packets.ts";
import { instance, virtualAddress } from "./samples.ts";

function entry(text: string, protocol = 0, prefixLength = 24): AddressEntry {
  return {
    family: text.includes(":") ? 6 : 4,
    index: 2,
    address: address(text),
    prefixLength,
    scope: 0,
    flags: IFA_F_PERMANENT,
    protocol,
    validLifetime: Number.POSITIVE_INFINITY,
    preferredLifetime: Number.POSITIVE_INFINITY,
  };
}

function found(instances: Parameters<typeof findLeftOvers>[0], ...interfaces: [string, ...AddressEntry[]][]): string[] {
  return findLeftOvers(
    instances,
    interfaces.map(([name, ...addresses]) => ({ name, addresses })),
  ).map((left) => formatAddress(left.address));
}

test("an address with our tag on an interface we use is a left-over, configured or not", () => {
  expect(
    found(
      [instance()],
      ["eth0", entry("192.0.2.11"), entry("192.0.2.1", addressOwner), entry("203.0.113.9", addressOwner)],
    ),
  ).toEqual(["192.0.2.1", "203.0.113.9"]);
});

test("an address with our tag on an interface that no instance uses is left alone", () => {
  expect(found([instance()], ["eth1", entry("192.0.2.1", addressOwner)])).toEqual([]);
});

test("the device of a virtual address counts as used", () => {
  const parameters = instance({ virtualAddresses: [virtualAddress("192.0.2.1", { device: "eth1" })] });
  expect(found([parameters], ["eth1", entry("203.0.113.9", addressOwner)])).toEqual(["203.0.113.9"]);
});

test("an untagged address that is configured as virtual is a left-over beside the host's own", () => {
  expect(found([instance()], ["eth0", entry("192.0.2.11"), entry("192.0.2.1")])).toEqual(["192.0.2.1"]);
});

test("an untagged address that is all the interface has in its family is the host's own", () => {
  expect(found([instance()], ["eth0", entry("192.0.2.1"), entry("fe80::11", 0, 64)])).toEqual([]);
});

test("the addresses that this node owns are its own", () => {
  expect(found([instance({ priority: 255 })], ["eth0", entry("192.0.2.11"), entry("192.0.2.1")])).toEqual([]);
});

test("an untagged address is ours whatever its prefix length, but not on another interface", () => {
  expect(
    found(
      [instance()],
      ["eth0", entry("192.0.2.11"), entry("192.0.2.1", 0, 32)],
      ["eth1", entry("192.0.2.12"), entry("192.0.2.1")],
    ),
  ).toEqual(["192.0.2.1"]);
});

test("excluded addresses are cleaned up as well", () => {
  const parameters = instance({ excludedAddresses: [virtualAddress("198.51.100.9")] });
  expect(found([parameters], ["eth0", entry("192.0.2.11"), entry("198.51.100.9")])).toEqual(["198.51.100.9"]);
});

test("addresses that nobody configured are never touched", () => {
  expect(
    found([instance()], ["eth0", entry("192.0.2.11"), entry("203.0.113.77")], ["lo", entry("127.0.0.1", 0, 8)]),
  ).toEqual([]);
});

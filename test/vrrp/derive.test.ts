import { expect, test } from "vitest";
import { addressesOfFamily, expectations, routerParameters } from "../../src/vrrp/derive.ts";
import { allVrrpRouters4, allVrrpRouters6 } from "../../src/wire/address.ts";
import { address, addressList } from "../support/packets.ts";
import { dualStack, instance, virtualAddress } from "./samples.ts";

const source4 = address("192.0.2.11");
const source6 = address("fe80::11");

test("a router acts alone or waits for others, and one of those decides ties", () => {
  expect(routerParameters({ ...instance(), coupled: false, decidesTies: 4 }, 4, source4)).toEqual({
    version: 3,
    priority: 100,
    interval: 1000,
    preempt: true,
    preemptDelay: 0,
    address: source4,
    coupled: false,
    decidesTies: true,
    yieldOnLowerPriority: false,
  });
  expect(
    routerParameters({ ...dualStack({ maxLearnedInterval: 3000 }), coupled: true, decidesTies: 4 }, 6, source6),
  ).toMatchObject({
    coupled: true,
    decidesTies: false,
    address: source6,
    maxLearnedInterval: 3000,
  });
});

test("each family expects its own group and its own part of the address list, in configured order", () => {
  const ipv4 = expectations(dualStack(), 4, source4);
  const ipv6 = expectations(dualStack(), 6, source6);
  expect([ipv4.group, ipv6.group]).toEqual([allVrrpRouters4, allVrrpRouters6]);
  expect(ipv4.addressBytes).toEqual(addressList("192.0.2.1"));
  expect(ipv6.addressBytes).toEqual(addressList("fe80::51", "2001:db8::51"));
});

test("excluded addresses are held but not advertised", () => {
  const parameters = instance({ excludedAddresses: [virtualAddress("198.51.100.1"), virtualAddress("2001:db8::9")] });
  const { addresses, advertised } = addressesOfFamily(parameters, 4);
  // There is no IPv6 router: its address goes with the first one.
  expect(addresses.map((entry) => entry.address)).toEqual(["192.0.2.1", "198.51.100.1", "2001:db8::9"]);
  expect(advertised).toBe(1);
  expect(expectations(parameters, 4, source4).addressBytes).toEqual(addressList("192.0.2.1"));
});

test("no address is held twice when there is a router for each family", () => {
  const parameters = dualStack({ excludedAddresses: [virtualAddress("198.51.100.1"), virtualAddress("2001:db8::9")] });
  expect(addressesOfFamily(parameters, 4).addresses.map((entry) => entry.address)).toEqual([
    "192.0.2.1",
    "198.51.100.1",
  ]);
  expect(addressesOfFamily(parameters, 6).addresses.map((entry) => entry.address)).toEqual([
    "fe80::51",
    "2001:db8::51",
    "2001:db8::9",
  ]);
});

test("peers of the other family are nobody's peers", () => {
  const peers = ["192.0.2.12", "fe80::12"].map((text) => ({ address: text, minTtl: 255, maxTtl: 255 }));
  const parameters = dualStack({ unicastPeers: peers });
  expect(expectations(parameters, 4, source4).peers.map((peer) => peer.address)).toEqual([address("192.0.2.12")]);
  expect(expectations(parameters, 6, source6).peers.map((peer) => peer.address)).toEqual([address("fe80::12")]);
});

test("a password is eight bytes, filled up with zeros", () => {
  expect(expectations(instance({ version: 2, password: "abc" }), 4, source4).password).toEqual(
    Uint8Array.of(0x61, 0x62, 0x63, 0, 0, 0, 0, 0),
  );
  expect(expectations(instance({ version: 2 }), 4, source4)).not.toHaveProperty("password");
});

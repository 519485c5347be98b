// Bodies of IPVS commands, byte by byte.
import { expect, test } from "vitest";
import type { ServiceAddress } from "../../src/lvs/parameters.ts";
import { encodeOperation, encodeServiceCommand, OperationEncoder } from "../../src/lvs/requests.ts";
import type { DestinationSettings, Operation, ServiceSettings } from "../../src/lvs/table.ts";
import { encodeGetFamily } from "../../src/netlink/generic.ts";
import { hex, toHex } from "../support/hex.ts";

const web: ServiceAddress = { kind: "address", family: 4, protocol: "tcp", address: "10.0.0.1", port: 80 };
const mark6: ServiceAddress = { kind: "mark", family: 6, mark: 0x01020304 };
const rr: ServiceSettings = { scheduler: "rr", flags: 0, timeout: 0, netmask: 0xffffffff };
const server: DestinationSettings = {
  family: 4,
  address: "10.0.0.9",
  port: 80,
  forwarding: { method: "dr" },
  weight: 3,
  upperThreshold: 0,
  lowerThreshold: 0,
};

function same(actual: Uint8Array, expected: string): void {
  expect(toHex(actual)).toBe(toHex(hex(expected)));
}

test("a service", () => {
  same(
    encodeOperation({ type: "add-service", service: web, settings: rr }),
    `01 01 0000 4800 0100 0600 0100 0200 0000 0600 0200 0600 0000 0800 0300 0a000001 0600 0400 0050 0000
     0700 0600 727200 00 0c00 0700 00000000 ffffffff 0800 0800 00000000 0800 0900 ffffffff`,
  );
});

test("a service by mark, with persistence and an engine", () => {
  const settings = { scheduler: "mh", flags: 0x19, timeout: 300, netmask: 64, engine: "sip" };
  same(
    encodeOperation({ type: "edit-service", service: mark6, settings }),
    `02 01 0000 4000 0100 0600 0100 0a00 0000 0800 0500 04030201 0700 0600 6d6800 00
     0c00 0700 19000000 ffffffff 0800 0800 2c010000 0800 0900 40000000 0800 0b00 73697000`,
  );
});

test("the mask of IPv4 stands in network order", () => {
  const settings = { ...rr, netmask: 0xffffff00 };
  expect(toHex(encodeOperation({ type: "add-service", service: web, settings }))).toMatch(/08000900ffffff00$/);
});

test("a service is named by its identity alone", () => {
  same(
    encodeOperation({ type: "delete-service", service: web }),
    "03 01 0000 2400 0100 0600 0100 0200 0000 0600 0200 0600 0000 0800 0300 0a000001 0600 0400 0050 0000",
  );
  same(encodeServiceCommand(16), "10 01 0000");
});

test("a destination", () => {
  same(
    encodeOperation({ type: "add-destination", service: web, settings: server }),
    `05 01 0000 2400 0100 0600 0100 0200 0000 0600 0200 0600 0000 0800 0300 0a000001 0600 0400 0050 0000
     3c00 0200 0600 0b00 0200 0000 0800 0100 0a000009 0600 0200 0050 0000 0800 0300 03000000 0800 0400 03000000
     0800 0500 00000000 0800 0600 00000000`,
  );
});

test("a tunnel is described whenever there is one: setting a destination replaces all of it", () => {
  const gue = { method: "tun", tunnel: { type: "gue", port: 6080, checksum: "remcsum" } } as const;
  const body = toHex(
    encodeOperation({ type: "edit-destination", service: web, settings: { ...server, forwarding: gue } }),
  );
  expect(body).toMatch(/05000d000100000006000e0017c0000006000f0002000000$/);
  const ipip = { method: "tun", tunnel: { type: "ipip" } } as const;
  expect(
    toHex(encodeOperation({ type: "edit-destination", service: web, settings: { ...server, forwarding: ipip } })),
  ).toMatch(/05000d000000000006000e000000000006000f0000000000$/);
});

test("a family by its name", () => {
  same(encodeGetFamily("IPVS"), "03 01 0000 0900 0200 4950565300 000000");
});

test("many in a row are encoded as each alone", () => {
  const other: ServiceAddress = { ...web, port: 443 };
  const gre = { method: "tun", tunnel: { type: "gre", checksum: "csum" } } as const;
  const servers: DestinationSettings[] = [
    server,
    {
      ...server,
      address: "10.0.0.200",
      port: 0x1234,
      weight: 0x12345678,
      upperThreshold: 7,
      lowerThreshold: 0x01020304,
    },
    { ...server, forwarding: { method: "nat" } },
    { ...server, family: 6, address: "2001:db8::9" },
    { ...server, family: 6, address: "2001:db8::200", port: 0xabcd, weight: 0x7fffffff },
    { ...server, forwarding: gre },
    { ...server, forwarding: { ...gre, tunnel: { type: "ipip" } } },
    { ...server, address: "10.0.0.3" },
  ];
  const identity = { family: 4, address: "10.0.0.9", port: 80 } as const;
  const operations = [web, other, mark6].flatMap((service): Operation[] => [
    { type: "add-service", service, settings: rr },
    ...servers.map((settings): Operation => ({ type: "add-destination", service, settings })),
    { type: "delete-destination", service, ...identity },
    ...servers.map((settings): Operation => ({ type: "edit-destination", service, settings })),
    { type: "edit-service", service, settings: rr },
    { type: "delete-service", service },
  ]);
  const encoder = new OperationEncoder();
  const orders = [operations, operations.toReversed(), operations.toSorted((a, b) => (a.type < b.type ? -1 : 1))];
  // More than there is room for, too.
  for (const order of [...orders, new Array(20).fill(operations).flat()]) {
    encoder.reset();
    const bodies = order.map((operation: Operation) => encoder.encode(operation));
    for (const [i, operation] of order.entries())
      expect(toHex(bodies[i] ?? new Uint8Array())).toBe(toHex(encodeOperation(operation)));
  }
});

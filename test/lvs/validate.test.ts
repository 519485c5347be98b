// What is refused before it is sent, and in which words.
import { expect, test } from "vitest";
import type { Protocol, ServiceAddress, SyncDaemonParameters } from "../../src/lvs/parameters.ts";
import type { DestinationSettings, ServiceSettings } from "../../src/lvs/table.ts";
import { validateOperation, validateSyncDaemon, validateTimeouts } from "../../src/lvs/validate.ts";

function at(address: string, port = 80, protocol: Protocol = "tcp"): ServiceAddress {
  return { kind: "address", family: address.includes(":") ? 6 : 4, protocol, address, port };
}

const web = at("192.0.2.10");
const dns = at("192.0.2.10", 53, "udp");
const web6 = at("2001:db8::10");
const mark = (mark: number): ServiceAddress => ({ kind: "mark", family: 4, mark });

function service(address: ServiceAddress, changes: Partial<ServiceSettings> = {}): string | undefined {
  const usual = { scheduler: "wlc", flags: 0, timeout: 0, netmask: address.family === 4 ? 0xffffffff : 128 };
  const settings = { ...usual, ...changes };
  const results = (["add-service", "edit-service"] as const).map((type) =>
    validateOperation({ type, service: address, settings }),
  );
  expect(results[0]).toBe(results[1]);
  return results[0];
}

function server(address: ServiceAddress, changes: Partial<DestinationSettings> = {}): string | undefined {
  const settings: DestinationSettings = {
    family: 4,
    address: "192.0.2.21",
    port: address.kind === "mark" ? 0 : address.port,
    forwarding: { method: "dr" },
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
    ...changes,
  };
  const results = (["add-destination", "edit-destination"] as const).map((type) =>
    validateOperation({ type, service: address, settings }),
  );
  expect(results[0]).toBe(results[1]);
  return results[0];
}

const ipip = { method: "tun", tunnel: { type: "ipip" } } as const;

test.each<[string, string | undefined]>([
  ["usual", service(web)],
  ["IPv6", service(web6)],
  ["all ports with persistence", service(at("192.0.2.10", 0), { flags: 1, timeout: 300 })],
  ["udp, one packet", service(dns, { flags: 4 })],
  ["a mark, one packet", service(mark(7), { flags: 4 })],
  ["the largest mark", service(mark(0xffffffff))],
  ["no scheduler", service(web, { scheduler: "none" })],
  ["flags of a scheduler", service(web, { scheduler: "mh", flags: 0x38 })],
  ["clients of a network count as one", service(web, { flags: 1, timeout: 1, netmask: 0xffffff00 })],
  ["all clients count as one", service(web, { flags: 1, timeout: 2_678_400, netmask: 0 })],
  ["sip", service(at("192.0.2.10", 5060, "udp"), { flags: 1, timeout: 60, engine: "sip" })],
  ["sip by mark", service(mark(5), { flags: 1, timeout: 60, engine: "sip" })],
  ["a server", server(web)],
  ["what others made against the rules, taken out of use", server(web, { port: 8080, weight: 0 })],
  ["another port with nat", server(web, { port: 8080, forwarding: { method: "nat" } })],
  ["another port with nat and a mark", server(mark(1), { port: 8080, forwarding: { method: "nat" } })],
  ["a tunnel between families", server(web, { family: 6, address: "2001:db8::21", forwarding: ipip })],
  ["weight 0, thresholds", server(web, { weight: 0, upperThreshold: 100, lowerThreshold: 100 })],
  ["the largest weight", server(web, { weight: 0x7fffffff })],
  ["what somebody else made", server(web, { port: 99, forwarding: { method: "local" } })],
  ["deleting a service that should not be", validateOperation({ type: "delete-service", service: at("0.0.0.0", 0) })],
])("%s: nothing wrong", (_, problem) => {
  expect(problem).toBeUndefined();
});

const remcsum = { method: "tun", tunnel: { type: "gre", checksum: "remcsum" } } as const;
const gue = { method: "tun", tunnel: { type: "gue", port: 0, checksum: "csum" } } as const;

test.each<[string | undefined, string]>([
  [service(web, { flags: 4 }), "one-packet scheduling is for udp, not for tcp"],
  [service(at("192.0.2.10", 80, "sctp"), { flags: 4 }), "one-packet scheduling is for udp, not for sctp"],
  [service(at("192.0.2.10", 0)), "all ports (port 0) take persistence"],
  [service(web, { flags: 1 }), "persistence, in seconds, has to be a whole number from 1 to 2678400, not 0"],
  [
    service(web, { flags: 1, timeout: 0xffffffff }),
    "persistence, in seconds, has to be a whole number from 1 to 2678400, not 4294967295",
  ],
  [service(mark(0)), "the mark has to be a whole number from 1 to 4294967295, not 0"],
  [service(mark(2 ** 32)), "the mark has to be a whole number from 1 to 4294967295, not 4294967296"],
  [service(at("0.0.0.0")), "0.0.0.0 cannot be served: it is nobody's address"],
  [service(at("::")), ":: cannot be served: it is nobody's address"],
  [service(at("224.0.0.9")), "224.0.0.9 cannot be served: it is nobody's address"],
  [service(at("ff02::9")), "ff02::9 cannot be served: it is nobody's address"],
  [service(at("192.0.2.300")), "192.0.2.300 is no IPv4 address"],
  [service({ ...web, family: 6 } as ServiceAddress, { netmask: 128 }), "192.0.2.10 is no IPv6 address"],
  [service(web, { netmask: 0xff00ff00 }), "0xff00ff00 is no mask of a network"],
  [service(web, { netmask: 24 }), "0x18 is no mask of a network"],
  [service(web6, { netmask: 0 }), "the prefix length of persistence has to be a whole number from 1 to 128, not 0"],
  [service(web6, { netmask: 129 }), "the prefix length of persistence has to be a whole number from 1 to 128, not 129"],
  [service(web, { flags: 0x42 }), "no such flags: 0x42"],
  [service(web, { scheduler: "" }), '"" is no name of a scheduler'],
  [service(web, { scheduler: "sixteen_letters_" }), '"sixteen_letters_" is no name of a scheduler'],
  [service(web, { scheduler: "rr\0x" }), '"rr\\u0000x" is no name of a scheduler'],
  [service(dns, { engine: "sip" }), "the engine sip takes persistence"],
  [service(web, { flags: 1, timeout: 60, engine: "sip" }), "the engine sip is for udp, not for tcp"],
  [server(web, { weight: -1 }), "the weight has to be a whole number from 0 to 2147483647, not -1"],
  [server(web, { weight: 2 ** 31 }), "the weight has to be a whole number from 0 to 2147483647, not 2147483648"],
  [server(web, { weight: 1.5 }), "the weight has to be a whole number from 0 to 2147483647, not 1.5"],
  [server(web, { weight: Number.NaN }), "the weight has to be a whole number from 0 to 2147483647, not NaN"],
  [
    server(web, { upperThreshold: 2 ** 31 }),
    "the upper threshold has to be a whole number from 0 to 2147483647, not 2147483648",
  ],
  [server(web, { lowerThreshold: 5 }), "the lower threshold 5 is above the upper one, 0"],
  [server(web, { port: 81 }), "the method dr keeps the port 80, so a server cannot have 81"],
  [server(web, { port: 81, forwarding: ipip }), "the method tun keeps the port 80, so a server cannot have 81"],
  [server(mark(1), { port: 81 }), "the method dr keeps the port 0, so a server cannot have 81"],
  [server(web, { port: 0, forwarding: { method: "nat" } }), "the port of a server is missing"],
  [
    server(web, { port: 65536, forwarding: { method: "nat" } }),
    "the port has to be a whole number from 0 to 65535, not 65536",
  ],
  [server(web, { forwarding: gue }), "the port of a gue tunnel has to be a whole number from 1 to 65535, not 0"],
  [server(web, { forwarding: remcsum }), "remcsum is for gue tunnels, not for gre"],
  [
    server(web, { family: 6, address: "2001:db8::21" }),
    "an IPv6 server of an IPv4 service takes the method tun, not dr",
  ],
  ...["0.0.0.0", "224.0.0.1", "255.255.255.255"].map((address): [string | undefined, string] => [
    server(web, { address }),
    `${address} cannot be a server: unspecified, multicast, broadcast or link-local`,
  ]),
  ...["::", "ff02::1", "fe80::1"].map((address): [string | undefined, string] => [
    server(web6, { family: 6, address }),
    `${address} cannot be a server: unspecified, multicast, broadcast or link-local`,
  ]),
  [
    validateOperation({ type: "delete-destination", service: web, family: 4, address: "::1", port: 80 }),
    "::1 is no IPv4 address",
  ],
])("%s", (problem, expected) => {
  expect(problem).toBe(expected);
});

test("all that is wrong is told at once", () => {
  expect(server(mark(0), { address: "x", weight: -1 })).toBe(
    "the mark has to be a whole number from 1 to 4294967295, not 0; x is no IPv4 address; " +
      "the weight has to be a whole number from 0 to 2147483647, not -1",
  );
});

test("sync daemons", () => {
  const usual = { interface: "eth1", syncId: 0, group: "224.0.0.81", port: 8848, ttl: 1 };
  const problem = (changes: Partial<SyncDaemonParameters>) =>
    validateSyncDaemon({ role: "backup", parameters: { ...usual, ...changes } });
  expect(problem({})).toBeUndefined();
  expect(problem({ group: "ff02::51", syncId: 255, maximumLength: 9000 })).toBeUndefined();
  expect(problem({ interface: "eth0.100:x" })).toBeUndefined();
  expect(problem({ syncId: 256 })).toBe("the sync id has to be a whole number from 0 to 255, not 256");
  expect(problem({ group: "192.0.2.1" })).toBe("192.0.2.1 is no multicast address");
  expect(problem({ interface: "an_interface_name" })).toBe('"an_interface_name" is no name of an interface');
  expect(problem({ interface: "" })).toBe('"" is no name of an interface');
  expect(problem({ ttl: 0, port: 0, maximumLength: 0 })).toBe(
    "the length of a message has to be a whole number from 1 to 65535, not 0; " +
      "the port has to be a whole number from 1 to 65535, not 0; the ttl has to be a whole number from 1 to 255, not 0",
  );
});

test("timeouts are whole seconds; 0 would change nothing", () => {
  expect(validateTimeouts({ tcp: 900_000, udp: 1000 })).toBeUndefined();
  expect(validateTimeouts({})).toBeUndefined();
  expect(validateTimeouts({ tcp: 0, tcpFin: 1500 })).toBe(
    "tcp, in seconds, has to be a whole number from 1 to 2147483, not 0; " +
      "tcpFin, in seconds, has to be a whole number from 1 to 2147483, not 1.5",
  );
});

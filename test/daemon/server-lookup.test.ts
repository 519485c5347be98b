import { expect, test } from "vitest";
import { findServers, parseServer } from "../../src/daemon/server-lookup.ts";
import { lvsParameters, realServer, virtualServer } from "./lvs-support.ts";

test.each([
  ["192.0.2.21", { address: "192.0.2.21" }],
  ["192.0.2.21:443", { address: "192.0.2.21", port: 443 }],
  ["2001:DB8::0:21", { address: "2001:db8::21" }],
  ["[2001:db8::21]", { address: "2001:db8::21" }],
  ["[2001:db8::21]:443", { address: "2001:db8::21", port: 443 }],
  ["[192.0.2.21]:443", undefined],
  ["192.0.2.21:0", undefined],
  ["192.0.2.21:65536", undefined],
  ["192.0.2.21:https", undefined],
  ["192.0.2", undefined],
  ["web1", undefined],
  ["", undefined],
])("%j is the server %j", (text, server) => {
  expect(parseServer(text)).toEqual(server);
});

const lvs = lvsParameters(
  virtualServer("https", ["192.0.2.21:443", "192.0.2.22:443", "[2001:db8::21]:443"], {
    sorryServer: {
      name: "192.0.2.30:443",
      family: 4,
      address: "192.0.2.30",
      port: 443,
      forwarding: { method: "nat" },
      inhibit: false,
    },
  }),
  virtualServer("http", ["192.0.2.21:80", "192.0.2.22:80"]),
  virtualServer("marked", [realServer("192.0.2.21", { port: 0 })]),
);

function found(text: string, service?: string): string | string[] {
  const reference = parseServer(text);
  if (reference === undefined) throw new Error(text);
  const servers = findServers(lvs, service === undefined ? reference : { ...reference, service });
  return typeof servers === "string"
    ? servers
    : servers.map((each) => `${each.virtualServer.name} ${each.server.name}`);
}

test.each([
  ["192.0.2.21", undefined, ["https 192.0.2.21:443", "http 192.0.2.21:80", "marked 192.0.2.21"]],
  ["192.0.2.21:443", undefined, ["https 192.0.2.21:443"]],
  ["192.0.2.21", "http", ["http 192.0.2.21:80"]],
  ["[2001:db8:0::21]:443", undefined, ["https [2001:db8::21]:443"]],
  [
    "192.0.2.21:8080",
    undefined,
    "no server 192.0.2.21:8080; that address serves as 192.0.2.21:443, 192.0.2.21:80, 192.0.2.21",
  ],
  ["192.0.2.12:443", undefined, "no server 192.0.2.12:443; did you mean 192.0.2.21:443?"],
  ["[2001:db8::21]:443", "http", "no server [2001:db8::21]:443 in http; it serves https"],
  ["192.0.2.21:443", "htps", 'no virtual server "htps"; did you mean https?'],
  ["192.0.2.30:443", undefined, "192.0.2.30:443 is the sorry server of https: it serves when nobody else does"],
  ["203.0.113.250", "http", "no server 203.0.113.250 in http; there are: 192.0.2.21:80, 192.0.2.22:80"],
])("%s of %s is found, or what is near", (text, service, expected) => {
  expect(found(text, service)).toEqual(expected);
});

test("without virtual servers there is nothing to find", () => {
  expect(findServers(undefined, { address: "192.0.2.21" })).toBe("no virtual server is configured");
});

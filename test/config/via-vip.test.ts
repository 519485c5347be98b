/** `via_vip: true`: names, marks, the services that such checks go through, and where it is refused. */
import { describe, expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { describeConfig } from "../../src/config/describe.ts";
import { firstMark, ProbeMarks } from "../../src/config/via-vip.ts";
import { loadTexts, problemsOf } from "./support.ts";

function fileOf(check: string, keys = "address: 192.0.2.10, port: 80", server = "192.0.2.21"): string {
  return `virtual_server: { web: { ${keys}, real_server: [${server}], check: ${check} } }`;
}

function configOf(text: string): Config {
  const { config, problems } = loadTexts({ "viprd.yaml": text });
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config;
}

const plain = "{ type: tcp }";
const through = "{ type: tcp, via_vip: true }";

test("one beside a plain one has a name of its own, and a service that has that server only", () => {
  const { checks, lvs } = configOf(
    fileOf(`[${plain}, ${through}, { type: http, path: /health, virtualhost: example.org, via_vip: true }]`),
  );
  const names = ["tcp via 192.0.2.10:80 to 192.0.2.21:80", "http 192.0.2.21/health via 192.0.2.10:80 to 192.0.2.21:80"];
  expect(checks.map(({ name }) => name)).toEqual(["tcp 192.0.2.21:80", ...names]);
  const [probe, ...others] = lvs?.probes ?? [];
  expect(others).toEqual([]);
  const mark = probe?.services[0]?.kind === "mark" ? probe.services[0].mark : 0;
  expect(mark).toBeGreaterThanOrEqual(firstMark);
  expect(mark).toBeLessThan(firstMark + 0x1_0000);
  const via = { host: "192.0.2.10", port: 80, mark, server: "192.0.2.21" };
  expect(checks.map((check) => ("via" in check ? check.via : undefined))).toEqual([undefined, via, via]);
  expect(checks[2]).toMatchObject({ url: "http://192.0.2.21/health", headers: { host: "example.org" } });
  expect(probe).toMatchObject({
    name: "via 192.0.2.10:80 to 192.0.2.21:80",
    probedBy: names,
    scheduler: { name: "rr" },
    servers: [{ address: "192.0.2.21", port: 80, weight: 1, checks: [], forwarding: { method: "nat" } }],
  });
});

test("without any there are no services, and nothing about it in what is in force", () => {
  const config = configOf(fileOf(plain));
  expect(config.lvs).not.toHaveProperty("probes");
  expect(JSON.stringify(describeConfig(config))).not.toContain("via_vip");
  expect(JSON.stringify(describeConfig(configOf(fileOf(through))))).toContain('"via_vip":true');
});

test("packets that are not rewritten keep their port and go by the server's tunnel", () => {
  const tunnel = "address: 192.0.2.10, port: 80, lvs_method: tun, tunnel: { type: gue, port: 6080 }";
  const [server] = configOf(fileOf(through, tunnel)).lvs?.probes?.[0]?.servers ?? [];
  expect(server).toMatchObject({ port: 0, forwarding: { method: "tun", tunnel: { type: "gue", port: 6080 } } });
});

test("a server in two services has a mark in each, which others that come and go leave as they are", () => {
  const two = (more: string) => `
virtual_server:
  a: { address: 192.0.2.10, port: 80, check: ${through}, real_server: [192.0.2.21${more}] }
  b: { address: 192.0.2.11, port: 80, check: ${through}, real_server: [192.0.2.21] }`;
  const marksOf = (text: string) =>
    new Map(configOf(text).lvs?.probes?.map(({ name, services }) => [name, JSON.stringify(services)]));
  const before = marksOf(two(""));
  const after = marksOf(two(", 192.0.2.20, 192.0.2.22"));
  expect([before.size, after.size, new Set(after.values()).size]).toEqual([2, 4, 4]);
  for (const [name, service] of before) expect(after.get(name)).toBe(service);
});

test("a mark that the file has is left to it, and no two get the same one", () => {
  const usual = new ProbeMarks(new Set()).of("a") ?? 0;
  expect(new ProbeMarks(new Set([usual])).of("a")).toBe(firstMark + ((usual - firstMark + 1) % 0x1_0000));
  const free = firstMark + 3;
  const others = Array.from({ length: 0x1_0000 }, (_, i) => firstMark + i).filter((mark) => mark !== free);
  const marks = new ProbeMarks(new Set(others));
  expect([marks.of("a"), marks.of("a"), marks.of("b")]).toEqual([free, free, undefined]);
});

describe("is refused", () => {
  test.each([
    ["for a service by mark", through.replace("tcp", "tcp, port: 80"), "fwmark: 7", /the service is a fwmark/],
    ["for UDP", through, "address: 192.0.2.10, port: 80, protocol: udp", /the service is udp, and only TCP/],
    ["with https", "{ type: http, tls: true, via_vip: true }", undefined, /https is not asked this way/],
    ["with HTTP/2", "{ type: http, http_version: 2, via_vip: true }", undefined, /remove http_version/],
    ["with redirections", "{ type: http, max_redirects: 1, via_vip: true }", undefined, /remove max_redirects/],
    ["with TLS", "{ type: tcp, tls: implicit, via_vip: true }", undefined, /remove tls and steps/],
    ["with another port", "{ type: tcp, port: 81, via_vip: true }", undefined, /leads to 192\.0\.2\.21:80 and nowhere/],
    ["with another host", "{ type: tcp, host: 192.0.2.9, via_vip: true }", undefined, /remove host, address and port/],
    ["in another type", "{ type: smtp, via_vip: true }", undefined, /via_vip: only in a check of type tcp or http/],
  ])("%s", (_name, check, keys, expected) => {
    const problems = problemsOf(fileOf(check, keys));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });

  test("in the section health_check", () => {
    const text = "health_check: { own: { type: tcp, host: 192.0.2.21, port: 80, via_vip: true } }";
    expect(problemsOf(text)).toContainEqual(expect.stringMatching(/only in a check of type tcp or http that stands/));
  });

  test("with a server of the other family", () => {
    const text = fileOf(through, "address: 192.0.2.10, port: 80, lvs_method: tun", '{ address: "2001:db8::21" }');
    expect(problemsOf(text)).toContainEqual(expect.stringMatching(/no way back to this host/));
  });
});

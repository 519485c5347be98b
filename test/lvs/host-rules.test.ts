import { describe, expect, test } from "vitest";
import { type HostFacts, settingNames } from "../../src/lvs/host-requirements.ts";
import { findings, neededModules, recommended } from "../../src/lvs/host-rules.ts";
import type { LvsParameters, VirtualServerParameters } from "../../src/lvs/parameters.ts";
import { balancer, facts, kernelDefaults, server, service, syncDaemon, virtualServer } from "./samples.ts";

const dr = server({ forwarding: { method: "dr" } });
const forwarding = { "net.ipv4.ip_forward": "1" };
const of = (...servers: readonly Partial<VirtualServerParameters>[]) =>
  balancer({ virtualServers: servers.map((one) => virtualServer(one)) });

function told(parameters: LvsParameters, host: HostFacts): string[] {
  return findings(parameters, host).map(({ level, message }) => `${level}: ${message}`);
}

describe("one finding for what does not go together, with what breaks and the cure", () => {
  test.each<[string, LvsParameters, HostFacts, RegExp | undefined]>([
    [
      "NAT without forwarding",
      of({}),
      facts(),
      /^warning: net\.ipv4\.ip_forward is 0: .*NAT.*web hear nothing; sysctl -w net\.ipv4\.ip_forward=1, or lvs_sysctl/,
    ],
    ["NAT with forwarding", of({}), facts(forwarding), undefined],
    [
      "IPv6 NAT without forwarding",
      of({ servers: [server({ address: "2001:db8::21" })] }),
      facts(),
      /^warning: net\.ipv6\.conf\.all\.forwarding is 0: .*accept_ra=2/,
    ],
    ["DR does not need forwarding", of({ servers: [dr] }), facts({ "net.ipv4.vs.conn_reuse_mode": "2" }), undefined],
    [
      "UDP servers that are taken out",
      of({ services: [service({ protocol: "udp" })], servers: [server()] }),
      facts(forwarding),
      /^warning: net\.ipv4\.vs\.expire_nodest_conn is 0: packets of clients .*\(web\)/,
    ],
    [
      "TCP servers that are taken out",
      of({ servers: [server({ onFailure: { action: "remove" } })] }),
      facts(forwarding),
      /^warning: net\.ipv4\.vs\.expire_nodest_conn is 0: connections .* hang/,
    ],
    ["TCP servers that get weight 0", of({ servers: [server()] }), facts(forwarding), undefined],
    [
      "persistence",
      of({ persistence: { timeout: 300_000, prefixLength: 32 } }),
      facts(forwarding),
      /^warning: net\.ipv4\.vs\.expire_quiescent_template is 0: /,
    ],
    [
      "persistence, templates end",
      of({ persistence: { timeout: 300_000, prefixLength: 32 } }),
      facts({ ...forwarding, "net.ipv4.vs.expire_quiescent_template": "1" }),
      undefined,
    ],
    [
      "DR and reuse of ports as for NAT",
      of({ servers: [dr] }),
      facts(),
      /^warning: net\.ipv4\.vs\.conn_reuse_mode is 1: .*servers answer directly \(web\); sysctl -w net\.ipv4\.vs\.conn_reuse_mode=2/,
    ],
    ["DR, more than asked for", of({ servers: [dr] }), facts({ "net.ipv4.vs.conn_reuse_mode": "3" }), undefined],
    [
      "NAT and no reuse",
      of({}),
      facts({ ...forwarding, "net.ipv4.vs.conn_reuse_mode": "0" }),
      /^warning: net\.ipv4\.vs\.conn_reuse_mode is 0: a client that uses a port again gets/,
    ],
    [
      "conntrack with an old kernel",
      of({}),
      facts({ ...forwarding, "net.ipv4.vs.conntrack": "1" }, { release: "5.4.0-42" }),
      /^warning: net\.ipv4\.vs\.conn_reuse_mode is 1: with conntrack and kernel 5\.4\.0-42 .*; sysctl -w net\.ipv4\.vs\.conn_reuse_mode=0/,
    ],
    [
      "conntrack with a new kernel",
      of({}),
      facts({ ...forwarding, "net.ipv4.vs.conntrack": "1" }, { release: "5.9.0" }),
      undefined,
    ],
    [
      "no estimation",
      of({}),
      facts({ ...forwarding, "net.ipv4.vs.run_estimation": "0" }),
      /^warning: net\.ipv4\.vs\.run_estimation is 0: rates/,
    ],
    [
      "connections dropped always",
      of({}),
      facts({ ...forwarding, "net.ipv4.vs.drop_entry": "3" }),
      /^warning: net\.ipv4\.vs\.drop_entry is 3: /,
    ],
    [
      "connections dropped when memory is short",
      of({}),
      facts({ ...forwarding, "net.ipv4.vs.drop_entry": "1" }),
      undefined,
    ],
    [
      "packets dropped always",
      of({}),
      facts({ ...forwarding, "net.ipv4.vs.drop_packet": "3" }),
      /^warning: net\.ipv4\.vs\.drop_packet is 3: /,
    ],
    [
      "the director is a server",
      balancer({ virtualServers: [virtualServer({ servers: [dr] })], syncDaemon }),
      facts({ "net.ipv4.vs.conn_reuse_mode": "2" }, { addresses: new Set(["192.0.2.21"]) }),
      /^warning: net\.ipv4\.vs\.backup_only is 0: .*director and a server of web: .* in circles; sysctl/,
    ],
    [
      "the director is a server, no sync daemon",
      of({ servers: [dr] }),
      facts({ "net.ipv4.vs.conn_reuse_mode": "2" }, { addresses: new Set(["192.0.2.21"]) }),
      /in circles \(and it takes effect only with an lvs_sync_daemon/,
    ],
    ["the director is a server, by NAT", of({}), facts(forwarding, { addresses: new Set(["192.0.2.21"]) }), undefined],
    [
      "old sync messages",
      balancer({ virtualServers: [], syncDaemon }),
      facts({ "net.ipv4.vs.sync_version": "0" }),
      /^warning: net\.ipv4\.vs\.sync_version is 0: IPv6/,
    ],
    [
      "half of what directors that share flows need",
      of({}),
      facts({ ...forwarding, "net.ipv4.vs.sloppy_tcp": "1" }),
      /^note: net\.ipv4\.vs\.schedule_icmp is 0: /,
    ],
    [
      "many servers",
      of({ servers: Array.from({ length: 600 }, (_, i) => server({ address: `10.0.${i >> 8}.${i & 255}` })) }),
      facts(forwarding),
      /^warning: net\.ipv4\.neigh\.default\.gc_thresh3 is 1024: with 600 servers .*gc_thresh3=4096/,
    ],
    [
      "a small table",
      of({}),
      facts(forwarding, { connTabBits: 12 }),
      /^note: the connection table has 4096 buckets.*conn_tab_bits=20/,
    ],
    ["a small table that grows by itself", of({}), facts(forwarding, { connTabBits: 12, release: "7.2.0" }), undefined],
    [
      "a scheduler that is not there",
      of({}),
      facts(forwarding, { modules: new Map([["ip_vs_wlc", "missing"]]) }),
      /^warning: the module ip_vs_wlc is neither loaded nor .* web cannot be set up; take another one/,
    ],
    [
      "a scheduler that comes when asked for",
      of({}),
      facts(forwarding, { modules: new Map([["ip_vs_wlc", "loadable"]]) }),
      undefined,
    ],
    [
      "FTP by NAT",
      of({ services: [service({ port: 21 })] }),
      facts(forwarding, { modules: new Map([["ip_vs_ftp", "loadable"]]) }),
      /^note: the module ip_vs_ftp is not loaded: /,
    ],
    [
      "strict filtering with two interfaces",
      of({ servers: [dr] }),
      facts(
        { "net.ipv4.vs.conn_reuse_mode": "2" },
        {
          reversePath: new Map([
            ["eth0", 1],
            ["eth1", 2],
          ]),
        },
      ),
      /^note: rp_filter is 1 on eth0: /,
    ],
    [
      "strict filtering with one",
      of({ servers: [dr] }),
      facts({ "net.ipv4.vs.conn_reuse_mode": "2" }, { reversePath: new Map([["eth0", 1]]) }),
      undefined,
    ],
    [
      "many entries on a kernel that counts them in one go",
      of({
        servers: Array.from({ length: 400 }, (_, i) => server({ address: `10.0.${i >> 8}.${i & 255}` })),
        services: Array.from({ length: 25 }, (_, i) => service({ port: i + 1000 })),
      }),
      facts(forwarding, { release: "6.1.0-56" }),
      /^note: kernel 6\.1\.0-56 counts the rates of 10000 servers/,
    ],
    [
      "checks whose answers come from an address of this host",
      balancer({ virtualServers: [], probes: [virtualServer({ name: "via a to b", servers: [dr] })] }),
      facts({}),
      /^warning: net\.ipv4\.conf\.\*\.accept_local is 0 on all interfaces: .*\(via a to b\)/,
    ],
    [
      "such checks, and an interface that takes them",
      balancer({ virtualServers: [], probes: [virtualServer({ servers: [dr] })] }),
      facts({}, { acceptsLocal: true }),
      undefined,
    ],
    ["nothing configured", balancer({ virtualServers: [] }), facts({}, { connTabBits: 12 }), undefined],
  ])("%s", (_name, parameters, host, expected) => {
    const messages = told(parameters, host);
    expect(messages).toHaveLength(expected === undefined ? 0 : 1);
    if (expected !== undefined) expect(messages[0]).toMatch(expected);
  });

  test("a backup that always runs and backup_only", () => {
    const { instance: _, ...alone } = syncDaemon;
    const parameters = balancer({ virtualServers: [], syncDaemon: alone });
    expect(told(parameters, facts({ "net.ipv4.vs.backup_only": "1" }))).toEqual([
      expect.stringMatching(/^warning: net\.ipv4\.vs\.backup_only is 1: .* this host balances nothing/),
    ]);
  });

  test("directors that share flows", () => {
    const parameters = { ...of({}), settingsProfile: "ecmp" } as const;
    expect(findings(parameters, facts(forwarding)).map(({ key, level }) => [key, level])).toEqual([
      ["net.ipv4.vs.sloppy_tcp", "warning"],
      ["net.ipv4.vs.schedule_icmp", "warning"],
    ]);
  });

  test("a kernel without a setting has nothing to be told about it", () => {
    expect(told(of({ servers: [dr] }), { ...facts(), settings: new Map() })).toEqual([]);
  });

  test("more than three names are counted", () => {
    const servers = Array.from({ length: 5 }, (_, i) => ({ name: `web${i}` }));
    expect(told(of(...servers), facts())[0]).toContain("clients of web0, web1, web2 and 2 more");
  });
});

test("every setting that a rule looks at is read", () => {
  expect([...settingNames].sort()).toEqual(Object.keys(kernelDefaults).sort());
});

test("recommended: what is not good becomes good, and the rest stays; what the finding says is enough", () => {
  const persistent = { persistence: { timeout: 300_000, prefixLength: 32 } };
  const parameters = balancer({
    virtualServers: [virtualServer({ ...persistent, servers: [server({ onFailure: { action: "remove" } }), dr] })],
    syncDaemon,
  });
  const set = recommended(parameters, facts({ "net.ipv4.vs.conn_reuse_mode": "0" }), () => undefined);
  expect(set).toEqual({
    "net.ipv4.ip_forward": "1",
    "net.ipv4.vs.expire_nodest_conn": "1",
    "net.ipv4.vs.expire_quiescent_template": "1",
    "net.ipv4.vs.conn_reuse_mode": "2",
  });
  expect(findings(parameters, facts(set))).toEqual([]);
  // What was set is not taken for what was there.
  expect(recommended(parameters, facts(set), (name) => (name in set ? "0" : undefined))).toEqual(set);
  expect(recommended(parameters, facts({ "net.ipv4.vs.conn_reuse_mode": "3" }), () => undefined)).not.toHaveProperty([
    "net.ipv4.vs.conn_reuse_mode",
  ]);
});

test("modules that are needed", () => {
  const engine = { timeout: 300_000, prefixLength: 32, engine: "sip" } as const;
  expect(neededModules(of({}, { persistence: engine }, { services: [service({ port: 21 })] }))).toEqual([
    "ip_vs_wlc",
    "ip_vs_pe_sip",
    "ip_vs_ftp",
  ]);
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { plain } from "../../src/cli/paint.ts";
import { renderStatus } from "../../src/cli/render.ts";
import { formatBytes, formatCount } from "../../src/cli/render-amounts.ts";
import { renderEvent } from "../../src/cli/render-event.ts";
import type { CheckReport, StatusDocument } from "../../src/daemon/status.ts";
import type {
  LvsEvent,
  LvsStatus,
  RealServerStatus,
  SorryServerStatus,
  TrafficStatus,
  VirtualServerStatus,
} from "../../src/lvs/status.ts";

const now = new Date(2026, 0, 2, 12, 0, 0);
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000).toISOString();

const traffic: TrafficStatus = {
  connections: 1000,
  packets_in: 8000,
  packets_out: 9000,
  bytes_in: 1_200_000,
  bytes_out: 34_000_000,
  connections_per_second: 3.2,
  packets_in_per_second: 25,
  packets_out_per_second: 30,
  bytes_in_per_second: 1200,
  bytes_out_per_second: 34_500,
};

function server(name: string, changes: Partial<RealServerStatus> = {}): RealServerStatus {
  return {
    name,
    state: "up",
    reason: `connected to ${name}`,
    since: ago(7500),
    method: "nat",
    configured_weight: 10,
    desired_weight: 10,
    kernel_weight: 10,
    weight_reason: null,
    active_connections: 12,
    inactive_connections: 40,
    persistent_connections: 0,
    traffic,
    checks: [{ name: "tcp", up: true, reason: `connected to ${name}` }],
    admin: [],
    changes: [],
    hints: [],
    ...changes,
  };
}

function sorry(name: string, changes: Partial<SorryServerStatus> = {}): SorryServerStatus {
  const idle = { kernel_weight: null, active_connections: 0, inactive_connections: 0, until: null };
  return { name, standing_in: false, ...idle, ...changes };
}

const down = server("192.0.2.22:443", {
  state: "down",
  reason: "connect 192.0.2.22:443: refused",
  since: ago(61),
  desired_weight: 0,
  kernel_weight: 0,
  active_connections: 0,
  checks: [{ name: "tcp", up: false, reason: "connect 192.0.2.22:443: refused" }],
  changes: [
    { at: ago(7500), state: "up", reason: "connected" },
    { at: ago(61), state: "down", reason: "connect 192.0.2.22:443: refused" },
  ],
});

const drained = server("192.0.2.23:443", {
  state: "draining",
  reason: "drained by root (uid 0): new kernel",
  since: ago(30),
  desired_weight: 0,
  kernel_weight: 10,
  admin: [{ what: "drain", by: "root (uid 0)", reason: "new kernel", since: ago(30), until: ago(-570) }],
  hints: ["no packet comes back"],
});

function virtualServer(name: string, changes: Partial<VirtualServerStatus> = {}): VirtualServerStatus {
  return {
    name,
    services: [{ address: "tcp 192.0.2.10:443", present: true, traffic }],
    scheduler: "wlc",
    state: "up",
    reason: "weight 10 in service, quorum 1",
    since: ago(7500),
    quorum: { required: 1, hysteresis: 0, weight_up: 10 },
    sorry_server: null,
    panic: false,
    suspended: false,
    servers: [server("192.0.2.21:443"), down, drained],
    foreign: [],
    ...changes,
  };
}

const well: Omit<LvsStatus, "virtual_servers"> = {
  unmanaged: [],
  drift: { found: 0, repaired: 0, last: null },
  errors: {},
  trouble: null,
  kernel: null,
  sync_daemons: [],
  timeouts_s: null,
  settings: [],
  findings: [],
  problems: [],
  digests: {},
};

const child = { state: "running", pid: 2, restarts: 0, since: ago(7500), last_end: null } as const;

function status(
  virtualServers: readonly VirtualServerStatus[],
  lvs: Partial<typeof well> = {},
  changes: Partial<StatusDocument> = {},
): StatusDocument {
  return {
    version: 1,
    viprd: "0.0.0",
    router_id: "lb1",
    pid: 1,
    started: ago(7500),
    config: { file: "viprd.yaml", loaded_at: ago(7500), reload: null },
    processes: { vrrp: child, checks: child },
    instances: [],
    groups: [],
    checks: [],
    checks_lateness: null,
    virtual_servers: virtualServers,
    lvs: { ...well, ...lvs },
    statics: { addresses: [], routes: [], rules: [] },
    notify: { subjects: [], fifos: [], webhooks: [] },
    interfaces: [],
    settings: [],
    vrrp: null,
    ...changes,
  };
}

/** Without the head. */
function told(document: StatusDocument): string[] {
  return renderStatus(document, now, plain).trimEnd().split("\n").slice(3);
}

test("servers that have left the file are none of those that should be up", () => {
  const leaving = server("192.0.2.24:443", { state: "leaving", reason: "no longer in the file", desired_weight: 0 });
  const servers = [server("192.0.2.21:443"), down, leaving];
  expect(told(status([virtualServer("https", { servers })]))).toContain(
    "  servers  1 of 2 up and 1 leaving; weight 10, quorum 1",
  );
});

test("a weight that is not that of the file has its reason", () => {
  const servers = [
    server("192.0.2.21:443", { desired_weight: 5, kernel_weight: 5, weight_reason: "agent says weight 50 %" }),
    server("192.0.2.22:443", { weight_reason: "agent says weight 100 %" }),
  ];
  const web = virtualServer("web", { servers: [server("192.0.2.25:80")] });
  const text = told(status([virtualServer("https", { servers }), web])).join("\n");
  expect(text).toContain("\n    weight      agent says weight 50 %\n");
  expect(text).not.toContain("100 %");
});

test("one virtual server alone is told in full: services, servers by urgency with checks, history and the operator's words", () => {
  expect(told(status([virtualServer("https")]))).toEqual([
    "https  up for 2 h 5 min  tcp 192.0.2.10:443, wlc",
    "  why      weight 10 in service, quorum 1",
    "  servers  1 of 3 up; weight 10, quorum 1",
    "  traffic  24 active, 3.2 connections/s, 1.2 kB/s in",
    "  service  tcp 192.0.2.10:443  1.0 k connections, 8.0 k packets and 1.2 MB in, 34.0 MB out",
    "  SERVER          STATE     FOR                    WEIGHT  ACTIVE  INACTIVE  CONN/S    IN/S    OUT/S  WHY",
    "  192.0.2.22:443  down      1 min 1 s             0 of 10       0        40     3.2  1.2 kB  34.5 kB  connect 192.0.2.22:443: refused",
    "    check       tcp down: connect 192.0.2.22:443: refused",
    "    changed     11:58:59 down: connect 192.0.2.22:443: refused",
    "    changed     09:55:00 up: connected",
    "  192.0.2.23:443  draining  30 s       0 of 10, kernel 10      12        40     3.2  1.2 kB  34.5 kB  drained by root (uid 0): new kernel",
    "    operator    drain by root (uid 0) since 11:59:30 until 12:09:30: new kernel",
    "    hint        no packet comes back",
    "    check       tcp up: connected to 192.0.2.23:443",
    "  192.0.2.21:443  up        2 h 5 min                  10      12        40     3.2  1.2 kB  34.5 kB  connected to 192.0.2.21:443",
    "    check       tcp up: connected to 192.0.2.21:443",
  ]);
});

test("what an operator must not overlook of a virtual server has a line of its own", () => {
  const lines = told(
    status([
      virtualServer("https", {
        state: "quorum_lost",
        reason: "weight 10 of 20",
        quorum: { required: 20, hysteresis: 5, weight_up: 10 },
        sorry_server: sorry("192.0.2.30:443", { standing_in: true }),
        panic: true,
        suspended: true,
        services: [{ address: "tcp 192.0.2.10:443", present: false, traffic }],
        foreign: ["192.0.2.99:443 by hand"],
        servers: [],
      }),
      virtualServer("other", { sorry_server: sorry("192.0.2.31:443"), servers: [] }),
      virtualServer("back", {
        sorry_server: sorry("192.0.2.32:443", { kernel_weight: 0, active_connections: 3, until: ago(-90) }),
        servers: [],
      }),
    ]),
  );
  expect(lines.slice(0, 10)).toEqual([
    "https  quorum lost for 2 h 5 min  tcp 192.0.2.10:443, wlc",
    "  why      weight 10 of 20",
    "  servers  0 of 0 up; weight 10, quorum 20 ± 5",
    "  traffic  0 active, 3.2 connections/s, 1.2 kB/s in",
    "  beware   the sorry server 192.0.2.30:443 stands in",
    "           panic: failures are not acted upon, as too few servers would be left",
    "           checks are suspended: the instance is not active here",
    "  missing  not in the table: tcp 192.0.2.10:443",
    "  foreign  left alone: 192.0.2.99:443 by hand",
    "",
  ]);
  expect(lines).toContain("  sorry    192.0.2.31:443 stands by");
  expect(lines).toContain("  sorry    192.0.2.32:443 leaves: 3 active and 0 inactive connections, 1 min 30 s at most");
});

test("the load balancer as a whole is told when there is something to say", () => {
  expect(told(status([], { trouble: "the kernel has no IPVS", unmanaged: ["tcp 192.0.2.9:80"] }))).toEqual([
    "load balancer",
    "  trouble    the kernel has no IPVS",
    "  unmanaged  not declared here, never touched: tcp 192.0.2.9:80",
  ]);
  const lines = told(
    status([], {
      drift: { found: 1, repaired: 0, last: "weight of 192.0.2.21:443 was 7" },
      errors: { ENOENT: 2, EINVAL: 5 },
      sync_daemons: [
        { role: "master", interface: "eth1", sync_id: 7, from: "viprd" },
        { role: "backup", interface: "eth1", sync_id: 7, from: "found" },
      ],
      settings: [{ name: "net.ipv4.vs.conn_reuse_mode", value: "2", before: "1" }],
      findings: [{ level: "warning", message: "ip_forward is 0" }],
      problems: ["cannot set tcp"],
    }),
  );
  expect(lines).toEqual([
    "load balancer",
    "  problem  cannot set tcp",
    "  host     ip_forward is 0",
    "  drift    1 change by others found, 0 repaired; the last: weight of 192.0.2.21:443 was 7",
    "  refused  by the kernel: 5 × EINVAL, 2 × ENOENT",
    "  sync     master on eth1, id 7",
    "           backup on eth1, id 7, found running",
    "  setting  net.ipv4.vs.conn_reuse_mode = 2, was 1",
  ]);
});

test("of a thousand servers the troubled ones are told, the worst first, and no more than fit on a screen", () => {
  const many = Array.from({ length: 100 }, (_, i) => {
    const servers = Array.from({ length: 10 }, (__, n) => server(`10.0.${i}.${n}:80`));
    return virtualServer(`service-${i}`, { servers });
  });
  const calm = told(status(many));
  expect(calm.length).toBeLessThan(40);
  expect(calm.at(-1)).toBe("1000 servers without trouble; viprd status NAME tells about one virtual server");
  expect(calm).toContain("70 more virtual servers, 70 of them up");
  const hit = many.map((each, i) => ({
    ...each,
    ...(i === 99 ? { state: "down" as const, reason: "no server is up" } : {}),
    servers: i < 50 ? each.servers : each.servers.map((one) => ({ ...one, state: "down" as const, reason: "refused" })),
  }));
  const lines = told(status(hit));
  expect(lines.length).toBeLessThan(70);
  expect(lines[1]).toMatch(/^service-99 {6}down .* 0 of 10 /);
  expect(lines.filter((line) => line.endsWith("refused")).length).toBe(30);
  expect(lines.at(-1)).toBe(
    "470 more like these; 500 servers without trouble; viprd status NAME tells about one virtual server",
  );
});

test("a check that only servers go by stands with them and not among the checks", () => {
  const check: CheckReport = {
    name: "tcp 192.0.2.21:443",
    type: "tcp",
    state: "up",
    since: ago(1),
    reason: "connected",
    last: null,
    rise: 1,
    fall: 1,
    successes: 1,
    failures: 0,
    runs: 1,
    failed_runs: 0,
    interval_ms: 1000,
    timeout_ms: 500,
    changes: [],
    warning: null,
    advice: null,
    used_by: ["192.0.2.21:443 of https"],
  };
  expect(told(status([], {}, { checks: [check] })).join("\n")).not.toContain("CHECK");
  const expiring = { ...check, warning: "the certificate of 192.0.2.21:443 expires in 9 days" };
  expect(told(status([], {}, { checks: [expiring] })).join("\n")).toContain("expires in 9 days");
  const shared = { ...check, used_by: ["web", "192.0.2.21:443 of https"] };
  expect(told(status([], {}, { checks: [shared] })).join("\n")).toContain("web and 1 more");
});

test.each<[LvsEvent, string]>([
  [
    {
      at: ago(0),
      type: "server",
      virtual_server: "https",
      server: "192.0.2.21:443",
      from: "up",
      to: "down",
      reason: "refused",
    },
    "https: server 192.0.2.21:443 up → down: refused",
  ],
  [
    { at: ago(0), type: "quorum", virtual_server: "https", up: false, reason: "weight 1 of 2" },
    "https: quorum lost: weight 1 of 2",
  ],
  [
    { at: ago(0), type: "sorry_server", virtual_server: "https", standing_in: true, reason: "quorum lost" },
    "https: the sorry server stands in: quorum lost",
  ],
  [
    { at: ago(0), type: "drift", virtual_server: "https", repaired: true, message: "weight 7 in place of 1" },
    "https: changed by others: weight 7 in place of 1; put right",
  ],
  [
    { at: ago(0), type: "drift", virtual_server: "https", repaired: false, message: "weight 7 in place of 1" },
    "https: changed by others: weight 7 in place of 1; left so",
  ],
  [{ at: ago(0), type: "lvs_warning", message: "no IPVS" }, "load balancer: no IPVS"],
])("an event of the load balancer is a line", (event, line) => {
  expect(renderEvent({ id: 7, event }, plain)).toBe(`12:00:00.000  #7  ${line}`);
});

test.each([
  [0, "0", "0 B"],
  [3.25, "3.3", "3 B"],
  [999, "999", "999 B"],
  [1000, "1.0 k", "1.0 kB"],
  [999_960, "1.0 M", "1.0 MB"],
  [123_456_789, "123 M", "123 MB"],
  [4.2e15, "4.2 P", "4.2 PB"],
])("%d is %s, and as bytes %s", (value, count, bytes) => {
  expect([formatCount(value), formatBytes(value)]).toEqual([count, bytes]);
});

test("the manual has all fields that programs may read", () => {
  const manual = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const begin = manual.indexOf("### The load balancer in `viprd status --json`");
  const section = manual.slice(begin, manual.indexOf("Exit codes of every command", begin));
  const admin = [{ what: "drain", by: "root", reason: null, since: ago(1), until: null }];
  const changes = [{ at: ago(1), state: "up", reason: "connected" } as const];
  const servers = [server("192.0.2.21:443", { admin, changes })];
  const lvs: typeof well = {
    ...well,
    kernel: { release: "6.1", ipvs_version: "1.2.1", connection_table_size: 4096 },
    sync_daemons: [{ role: "master", interface: "eth0", sync_id: 1, from: "viprd" }],
    timeouts_s: { tcp: 900, tcp_fin: 120, udp: 300 },
    settings: [{ name: "net.ipv4.vs.conntrack", value: "1", before: "0" }],
    findings: [{ level: "note", message: "small table" }],
  };
  const all = [virtualServer("https", { servers, sorry_server: sorry("192.0.2.30:443") }), lvs];
  expect(keysOf(all).filter((key) => !section.includes(`\`${key}\``))).toEqual([]);
});

function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (typeof value !== "object" || value === null) return [];
  return [...new Set(Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]))];
}

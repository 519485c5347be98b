import { expect, test } from "vitest";
import { createPaint, plain } from "../../src/cli/paint.ts";
import { renderStatus } from "../../src/cli/render.ts";
import { renderEvent } from "../../src/cli/render-event.ts";
import { formatDuration, formatInterval, formatMoment } from "../../src/cli/render-time.ts";
import { frame } from "../../src/cli/screen.ts";
import type { DaemonEvent } from "../../src/daemon/event-log.ts";
import type { ProcessStatus } from "../../src/daemon/process-status.ts";
import type { CheckReport, StatusDocument } from "../../src/daemon/status.ts";
import type { GroupStatus } from "../../src/vrrp/group-status.ts";
import type { AuthenticationStatus, Counters, InstanceStatus } from "../../src/vrrp/status.ts";

const now = new Date(2026, 0, 2, 12, 0, 0);
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000).toISOString();

const counters: Counters = {
  became_active: 1,
  released_active: 0,
  adverts_sent: 7500,
  adverts_received: 3,
  priority_zero_sent: 0,
  priority_zero_received: 0,
  send_errors: 0,
  interval_errors: 0,
  address_list_errors: 0,
  other_checksum_form: 0,
  own_packets: 0,
  late_timers: 0,
  rejected: {},
};

const active: InstanceStatus = {
  split_brains: [],
  duplicates: [],
  name: "web",
  interface: "eth0",
  sync_group: null,
  vrid: 51,
  version: 3,
  families: ["ipv4"],
  state: "active",
  reasons: [],
  since: ago(7500),
  priority: { base: 150, effective: 150, parts: [] },
  advert_int_ms: 1000,
  preempt: true,
  active_router: { address: "192.0.2.12", priority: 150, last_heard_ms: 0, self: true },
  tracking: [],
  addresses: [
    { address: "192.0.2.10/24", device: "eth0", advertised: true, present: true, lease_s: 5 },
    { address: "192.0.2.100/32", device: "lo", advertised: false, present: false, lease_s: 5 },
  ],
  virtual_macs: [],
  routes: [],
  rules: [],
  routers: [
    {
      family: "ipv4",
      state: "active",
      source: "192.0.2.12",
      active_advert_int_ms: 1000,
      active_down_interval_ms: 3414,
      skew_time_ms: 414,
      timer_ms: 412,
      willing: false,
      checksum_form: "message",
      new_active_reason: "no_response",
      last_error: null,
      up_since: ago(7510),
      counters,
    },
  ],
  counters: { ...counters, rejected: { checksum: 2, ttl: 30, short: 0 } },
  transitions: [
    { at: ago(7510), from: "initialize", to: "backup", reason: "everything it needs is there" },
    { at: ago(7500), from: "backup", to: "active", reason: "no advertisement from 192.0.2.11 for 3.41 s" },
  ],
};

const router = active.routers[0];
const backup: InstanceStatus = {
  ...active,
  name: "inside",
  state: "backup",
  since: ago(3),
  priority: { base: 150, effective: 90, parts: [{ name: "check gateway", change: -60 }] },
  tracking: [
    {
      name: "check gateway",
      up: false,
      failing: true,
      reason: "check gateway failed: timeout",
      priority: -60,
      reverse: false,
      penalty: 2.93,
      held_ms: 45_000,
    },
    {
      name: "interface eth1",
      up: true,
      failing: false,
      reason: "interface eth1 is up",
      priority: null,
      reverse: false,
      penalty: 0,
      held_ms: null,
    },
  ],
  preempt: false,
  active_router: { address: "192.0.2.11", priority: 200, last_heard_ms: 340, self: false },
  addresses: [{ address: "192.0.2.10/24", device: "eth0", advertised: true, present: false, lease_s: null }],
  routers: router === undefined ? [] : [{ ...router, state: "backup", timer_ms: 2900 }],
  counters,
  transitions: [{ at: ago(3), from: "active", to: "backup", reason: "192.0.2.11 advertised priority 200" }],
};

const fault: InstanceStatus = {
  ...backup,
  name: "broken",
  state: "initialize",
  reasons: ["interface eth0 is down", "interface eth0 has no IPv4 address"],
  active_router: null,
  addresses: [],
  routers: [],
};

const lateness = {
  timers: 1,
  mean_ms: 0,
  p99_ms: 0,
  max_ms: 0,
  histogram: [],
  stalls: 0,
  stalled_ms: 0,
  last_stall: null,
};
const noChecks: ProcessStatus = { state: "not needed", pid: null, restarts: 0, since: ago(7511), last_end: null };

function document(instances: readonly InstanceStatus[], changes: Partial<StatusDocument> = {}): StatusDocument {
  return {
    version: 1,
    viprd: "0.1.0",
    router_id: "lb2",
    pid: 42,
    started: ago(7511),
    config: { file: "/etc/viprd/viprd.yaml", loaded_at: ago(7511), reload: null },
    processes: { vrrp: { state: "running", pid: 43, restarts: 0, since: ago(7511), last_end: null }, checks: noChecks },
    instances,
    checks: [],
    checks_lateness: null,
    settings: [],
    virtual_servers: [],
    lvs: null,
    statics: { addresses: [], routes: [], rules: [] },
    notify: { subjects: [], fifos: [], webhooks: [] },
    groups: [],
    interfaces: [],
    vrrp: { dropped: 0, lateness },
    ...changes,
  };
}

test("one trouble is told as one", () => {
  const told = (late_timers: number) =>
    renderStatus(document([{ ...active, counters: { ...active.counters, rejected: {}, late_timers } }]), now, plain);
  expect(told(1)).toContain("  trouble   1 timer fired late\n");
  expect(told(2)).toContain("  trouble   2 timers fired late\n");
});

test("an active instance tells why, since when, with which addresses and which troubles", () => {
  expect(renderStatus(document([active]), now, plain)).toBe(`lb2  viprd 0.1.0, pid 42, up 2 h 5 min
/etc/viprd/viprd.yaml, read 09:54:49

web  active for 2 h 5 min  vrid 51 on eth0, VRRP 3, ipv4
  why       no advertisement from 192.0.2.11 for 3.41 s (09:55:00 backup → active)
  priority  150
  active    this router, 192.0.2.12
  timer     next advert in 412 ms
  address   192.0.2.10/24   eth0  present, lease 5 s
            192.0.2.100/32  lo  MISSING, not advertised
  adverts   7500 sent, 3 received, every 1 s; became active once
  trouble   rejected: 30 × ttl, 2 × checksum
`);
});

test("a backup tells whom it hears, when it would take over, and how its priority came about", () => {
  const text = renderStatus(document([backup]), now, plain);
  expect(text.split("\n").slice(3)).toEqual([
    "inside  backup for 3 s  vrid 51 on eth0, VRRP 3, ipv4",
    "  why       192.0.2.11 advertised priority 200 (11:59:57 active → backup)",
    "  priority  90 = 150 - 60 (check gateway), nopreempt",
    "  track     check gateway failed: timeout (priority -60), penalty 2.93, held for 45 s more",
    "            interface eth1 is up",
    "  active    192.0.2.11, priority 200, heard 340 ms ago",
    "  timer     takeover in 2.9 s unless heard, of 3.41 s",
    "  address   192.0.2.10/24  eth0  absent",
    "  adverts   7500 sent, 3 received, every 1 s; became active once",
    "",
  ]);
});

test("a backup whose time has come and that must wait for others says so, not when it would take over", () => {
  const [first] = active.routers;
  if (first === undefined) throw new Error("no router");
  const willing = { ...first, state: "backup", timer_ms: 2900, willing: true } as const;
  const told = (changes: Partial<InstanceStatus>) =>
    renderStatus(document([{ ...backup, ...changes }]), now, plain)
      .split("\n")
      .flatMap((line) => /^ *(?:timer +)?(.*(?:waits|takeover).*)/.exec(line)?.[1] ?? []);
  expect(told({ sync_group: "edge", routers: [willing] })).toEqual([
    "its time has come: waits for the others of sync group edge",
  ]);
  const other = { ...willing, family: "ipv6", willing: false } as const;
  expect(told({ routers: [willing, other] })).toEqual([
    "ipv4: its time has come: waits for the other address family",
    "ipv6: takeover in 2.9 s unless heard, of 3.41 s",
  ]);
});

test("an instance that authenticates tells its keys by fingerprints, and what it refused last", () => {
  const hmac: AuthenticationStatus = {
    method: "hmac",
    mode: "enforce",
    active_key: 2,
    keys: [
      { id: 1, fingerprint: "630dcd29" },
      { id: 2, fingerprint: "8f1c02aa" },
    ],
    anti_replay: "time",
    time_window_ms: 5000,
    unsigned_accepted: 0,
    last_refusal: null,
  };
  const shown = (authentication: AuthenticationStatus) =>
    renderStatus(document([{ ...backup, authentication }]), now, plain)
      .split("\n")
      .slice(12, -1);
  expect(shown(hmac)).toEqual([
    "  auth      hmac enforce, signs with key 2 (8f1c02aa), accepts key 1 (630dcd29) too; stamps within 5 s of this clock",
  ]);
  const last_refusal = { at: ago(5), source: "192.0.2.9", rejection: "hmac_missing", reason: "it is not signed" };
  expect(shown({ ...hmac, keys: hmac.keys.slice(1), mode: "permissive", unsigned_accepted: 7, last_refusal })).toEqual([
    "  auth      hmac permissive, signs with key 2 (8f1c02aa); stamps within 5 s of this clock; 7 unsigned adverts accepted",
    "  refused   11:59:55 from 192.0.2.9: hmac_missing (it is not signed)",
  ]);
  expect(shown({ ...hmac, mode: "receive_only", anti_replay: "monotonic" })).toEqual([
    "  auth      hmac receive_only, signs nothing, accepts key 2 (8f1c02aa), 1 (630dcd29); stamps that grow; 0 unsigned adverts accepted",
  ]);
});

const split = {
  began: ago(30),
  ended: null,
  duration_ms: 12_300,
  own: { address: "192.0.2.12", priority: 150 },
  rivals: [{ address: "192.0.2.11", priority: 100, adverts: 13 }],
  unlisted: 0,
  outcome: "ongoing",
} as const;
const duplicate = {
  address: "192.0.2.10",
  interface: "eth0",
  mac: "02:00:00:00:99:99",
  first: ago(20),
  last: ago(10),
  count: 1,
  relieved: false,
};

test("two active routers and other hosts with the address are told with who, since when and how often", () => {
  const shown = (changes: Partial<InstanceStatus>) =>
    renderStatus(document([{ ...active, ...changes }]), now, plain)
      .split("\n")
      .filter((line) => /conflict|claimed|claims/.test(line));
  expect(shown({ split_brains: [split], duplicates: [duplicate, { ...duplicate, count: 9, relieved: true }] })).toEqual(
    [
      "  conflict  two active, since 11:59:30 for 12 s: 192.0.2.11 (priority 100, heard 13 times); it goes on",
      "            192.0.2.10 is claimed by 02:00:00:00:99:99 on eth0, seen once, last at 11:59:50",
      "            192.0.2.10 is claimed by 02:00:00:00:99:99, the router that was relieved, on eth0, seen 9 times, last at 11:59:50",
    ],
  );
  const over = { ...split, ended: ago(5), outcome: "kept" } as const;
  expect(shown({ split_brains: [split, over], duplicates: Array.from({ length: 5 }, () => duplicate) })).toMatchObject({
    0: "  conflict  two active, since 11:59:30 for 12 s: 192.0.2.11 (priority 100, heard 13 times); this router stayed",
    4: "            and 2 more claims",
  });
});

test("in a table, two active routers are told instead of how the state came about", () => {
  const many = [{ ...active, split_brains: [split] }, ...Array.from({ length: 4 }, () => backup)];
  expect(renderStatus(document(many), now, plain)).toContain(
    "this one                      two active: 192.0.2.11 beside this one",
  );
});

test("an instance in initialize tells every reason, and how it got there", () => {
  const text = renderStatus(document([fault]), now, plain);
  expect(text.split("\n").slice(4, 8)).toEqual([
    "  why       interface eth0 is down",
    "            interface eth0 has no IPv4 address",
    "  last      11:59:57 active → backup: 192.0.2.11 advertised priority 200",
    "  priority  90 = 150 - 60 (check gateway), nopreempt",
  ]);
});

test("many instances are a table, one line each", () => {
  const many = [active, backup, fault, { ...active, name: "four" }, { ...backup, name: "five" }];
  expect(renderStatus(document(many), now, plain).split("\n").slice(3)).toEqual([
    "NAME    STATE       FOR        PRIORITY  ACTIVE ROUTER     HEARD       WHY",
    "web     active      2 h 5 min  150       this one                      no advertisement from 192.0.2.11 for 3.41 s",
    "inside  backup      3 s        90        192.0.2.11 (200)  340 ms ago  192.0.2.11 advertised priority 200",
    "broken  initialize  3 s        90        none heard                    interface eth0 is down",
    "four    active      2 h 5 min  150       this one                      no advertisement from 192.0.2.11 for 3.41 s",
    "five    backup      3 s        90        192.0.2.11 (200)  340 ms ago  192.0.2.11 advertised priority 200",
    "",
    "viprd status NAME tells more about one of them",
    "",
  ]);
});

test("what an operator must not miss stands at the top: a refused reload, a restarted child, stalls", () => {
  const text = renderStatus(
    document([], {
      config: {
        file: "a.yaml",
        loaded_at: ago(60),
        reload: {
          at: ago(5),
          ok: false,
          message: "refused, 1 problem",
          problems: ["a.yaml:1:1: x: bad"],
          needs_restart: [],
        },
      },
      processes: {
        vrrp: { state: "restarting", pid: null, restarts: 1, since: ago(1), last_end: "ended with exit code 7" },
        checks: noChecks,
      },
      interfaces: [{ interface: "eth0", family: "ipv4", received: 9, rejected: { vrid_unknown: 9 } }],
      vrrp: {
        dropped: 0,
        lateness: {
          ...lateness,
          stalls: 3,
          stalled_ms: 9100,
          last_stall: { began: ago(19), ended: ago(12), duration_ms: 7000, suspended_ms: 6500 },
        },
      },
    }),
    now,
    plain,
  );
  expect(text).toBe(`lb2  viprd 0.1.0, pid 42, up 2 h 5 min
a.yaml, read 11:59:00
the reload at 11:59:55 was refused, 1 problem
  a.yaml:1:1: x: bad
vrrp process: restarting
vrrp process: started again once; the last one ended with exit code 7
vrrp process: not run in time by the kernel 3 times, 9.1 s together; the last time at 11:59:48 after 7 s, suspended for 6.5 s of it

packets for none of our instances
  eth0 ipv4: 9 × vrid_unknown

no instance is configured
`);
});

test("colours change nothing but the colour, and only a terminal gets them", () => {
  expect(createPaint({})("red", "x")).toBe("x");
  const status = document([active, backup, fault]);
  const coloured = renderStatus(status, now, (colour, text) => `\u001b[${colour.length}m${text}\u001b[0m`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what a colour begins with
  expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(renderStatus(status, now, plain));
});

test.each([
  [-5, "0 ms"],
  [0.4, "0 ms"],
  [999, "999 ms"],
  [1000, "1 s"],
  [3610, "3.6 s"],
  [9999, "9.9 s"],
  [10_000, "10 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [3_599_000, "59 min 59 s"],
  [3_600_000, "1 h"],
  [90_000_000, "1 d 1 h"],
])("%d ms is told as %s", (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});

test.each([
  [10, "10 ms"],
  [12.5, "12.5 ms"],
  [1000, "1 s"],
  [40_950, "40.95 s"],
])("an interval of %d ms is told exactly: %s", (milliseconds, text) => {
  expect(formatInterval(milliseconds)).toBe(text);
});

test("a moment of another day has its date", () => {
  expect(formatMoment(new Date(2026, 0, 1, 23, 59, 59), now)).toBe("2026-01-01 23:59:59");
});

test("a screen too small for the text says how much is missing", () => {
  expect(frame("a\nb\nc\nd\n", 3, 80)).toBe(
    "\u001b[H\u001b[?7la\u001b[K\r\nb\u001b[K\r\n… 2 more lines\u001b[K\u001b[J\u001b[?7h",
  );
});

test("on a narrow screen a line goes on below, its colour too, and each row counts", () => {
  const line = `\u001b[31m${"x".repeat(40)}\u001b[0m${"y".repeat(34)}why`;
  const rows = [`\u001b[31m${"x".repeat(40)}\u001b[0m`, `      ${"y".repeat(34)}`, "      why"];
  const screen = (shown: readonly string[]) =>
    `\u001b[H\u001b[?7l${shown.map((row) => `${row}\u001b[K`).join("\r\n")}\u001b[J\u001b[?7h`;
  expect(frame(line, 5, 40)).toBe(screen(rows));
  expect(frame(line, 2, 40)).toBe(screen([rows[0] ?? "", "… 2 more lines"]));
  expect(frame(line, 5, 77)).toBe(screen([line]));
});

const check: CheckReport = {
  name: "gateway",
  type: "tcp",
  state: "up",
  since: ago(7500),
  reason: "connected to 192.0.2.1:80",
  last: { at: ago(0.4), ok: true, reason: "connected to 192.0.2.1:80", latency_ms: 0.4182, program: null },
  rise: 2,
  fall: 3,
  successes: 9,
  failures: 0,
  runs: 9,
  failed_runs: 0,
  interval_ms: 1000,
  timeout_ms: 500,
  changes: [],
  warning: null,
  advice: null,
  used_by: ["web"],
};
const refused = "connect 192.0.2.9:80: refused (ECONNREFUSED)";
const failing = { at: ago(0.4), ok: false, reason: refused, latency_ms: 12.4, program: null };

test("checks are told with their last result and how far they are from changing", () => {
  const checks: CheckReport[] = [
    check,
    { ...check, name: "web", used_by: [], failures: 2, successes: 0, last: failing },
    { ...check, name: "mail", state: "down", since: ago(60), failures: 9, successes: 0, last: failing },
    { ...check, name: "slow", used_by: ["web", "mail", "inside"], state: "down", since: ago(5), successes: 1 },
    {
      ...check,
      name: "new",
      state: "unknown",
      since: ago(1),
      reason: "no result yet",
      successes: 0,
      runs: 0,
      last: null,
    },
    {
      ...check,
      name: "says",
      state: "down",
      since: ago(1),
      successes: 0,
      failures: 1,
      last: { ...failing, program: { exit_code: 1, signal: null, output: "out\nof luck" } },
    },
  ];
  expect(
    renderStatus(document([], { checks }), now, plain).split("\n").slice(3, -2).join("\n"),
  ).toBe(`CHECK    STATE    FOR        TYPE  LATENCY  TRACKED BY      LAST RESULT
gateway  up       2 h 5 min  tcp   0.42 ms  web             connected to 192.0.2.1:80 (400 ms ago)
web      up       2 h 5 min  tcp   12 ms    nobody          ${refused} (2 of 3 failures, 400 ms ago)
mail     down     1 min      tcp   12 ms    web             ${refused} (9 failures in a row, 400 ms ago)
slow     down     5 s        tcp   0.42 ms  web and 2 more  connected to 192.0.2.1:80 (1 of 2 successes, 400 ms ago)
new      unknown  1 s        tcp            web             no result yet
says     down     1 s        tcp   12 ms    web             ${refused} (400 ms ago)
  output  out
  output  of luck
`);
});

test("what a check warns of and advises stands below it, also among many", () => {
  const nothing = { weight: null, weight_percent: null, weight_offset: null, mode: null, max_connections: null };
  const old = { ...check, name: "old", warning: "certificate of 192.0.2.1:443 expires in 9 days" };
  const advising = { ...check, name: "agent", advice: { ...nothing, summary: "drain", mode: "drain" as const } };
  const text = (checks: CheckReport[]) => renderStatus(document([], { checks }), now, plain);
  expect(text([old, advising])).toContain("\n  warning  certificate of 192.0.2.1:443 expires in 9 days\n");
  expect(text([old, advising])).toContain("\n  advice  drain\n");
  const many = Array.from({ length: 30 }, (_, i) => ({ ...check, name: `check-${i}` }));
  expect(text([...many, old])).toContain("\n  warning  certificate of");
});

test("checks that begin late are told of, those that are in time are not", () => {
  const late = { timers: 1000, mean_ms: 9, p99_ms: 200, max_ms: 1340, histogram: [] };
  const text = (checks_lateness: typeof late) => renderStatus(document([], { checks_lateness }), now, plain);
  expect(text(late)).toContain("checks process: 1 run in 100 begins more than 50 ms late, up to 200 ms (once 1.3 s)\n");
  expect(text({ ...late, p99_ms: 50 })).not.toContain("checks process");
});

test("of many checks those that are up are only counted", () => {
  const checks = Array.from({ length: 30 }, (_, i): CheckReport => ({ ...check, name: `c${i}` }));
  const text = (some: readonly CheckReport[]) => renderStatus(document([], { checks: some }), now, plain);
  expect(text(checks)).toContain("\n30 checks are up; viprd status --json lists all\n");
  const mixed = [...checks, { ...check, name: "mail", state: "down", last: failing } as const];
  expect(text(mixed)).toMatch(/\nmail {3}down .*\n30 checks are up/);
  expect(text(mixed)).not.toContain("c7");
});

test("a sync group tells its members and which of them keeps the others waiting", () => {
  const group: GroupStatus = {
    name: "edge",
    state: "initialize",
    since: ago(5),
    reasons: ["inside: interface eth1 is down"],
    members: [
      { name: "outside", state: "initialize", blocks: null },
      { name: "inside", state: "initialize", blocks: "interface eth1 is down" },
    ],
    tracking: [],
    transitions: [{ at: ago(5), from: "active", to: "initialize", reason: "check haproxy failed: connection refused" }],
  };
  const text = renderStatus(document([], { groups: [group] }), now, plain);
  // What made it so may be over: the reason is what keeps it so.
  expect(text.split("\n").slice(3, 8)).toEqual([
    "sync group edge  initialize for 5 s",
    "  why     inside: interface eth1 is down",
    "  last    11:59:55 active → initialize: check haproxy failed: connection refused",
    "  member  outside  initialize",
    "          inside  initialize, blocks: interface eth1 is down",
  ]);
  const active = { ...group, state: "active" as const, reasons: [], members: [] };
  expect(renderStatus(document([], { groups: [active] }), now, plain)).toContain(
    "  why  check haproxy failed: connection refused (11:59:55 active → initialize)",
  );
});

test("an event of a sync group names the group", () => {
  const event = { type: "group_transition", at: ago(0), group: "edge", from: "backup", to: "active", reason: "web: x" };
  expect(renderEvent({ id: 7, event: event as DaemonEvent }, plain)).toContain(
    "#7  sync group edge: backup → active: web: x",
  );
});

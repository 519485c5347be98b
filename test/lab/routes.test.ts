// Routes and rules: with the role, put back when others remove them, gone with the daemon; beside keepalived.
import { expect } from "vitest";
import { type Lab, scenario } from "../support/lab.ts";
import { expectBetween, skewTime } from "../support/lab-checks.ts";
import { pairs } from "../support/lab-pairs.ts";
import { Child, eventually, sleep } from "../support/lab-process.ts";
import { usesViprd, viprdConfig } from "../support/lab-routers.ts";
import { T2, T2x2 } from "../support/lab-topologies.ts";
import type { Viprd } from "../support/lab-viprd.ts";

/** Routes and rules that VRRP put there, in ip's words, without their number. */
async function held(lab: Lab, node: string): Promise<string[]> {
  const routes = await lab.namespaces.shell(node, "ip -4 route show table all; ip -6 route show table all");
  const rules = await lab.namespaces.shell(node, "ip -4 rule show; ip -6 rule show");
  // Hops of one route stand on lines of their own.
  const lines = `${routes.replace(/\n\s+/g, " ")}\n${rules}`.split("\n");
  const ours = lines.filter((line) => / proto (112|keepalived)\b/.test(line));
  return ours
    .map((line) =>
      line
        .replace(/ proto \w+/, "")
        .replace(/\s+/g, " ")
        .trim(),
    )
    .sort();
}

const shared = {
  routes: [
    "198.51.100.0/24 via 192.0.2.254 dev e0 src 192.0.2.1 table 100",
    "default via 192.0.2.254 dev e0 table 100 metric 7",
    "blackhole 10.20.0.0/16",
    "10.21.0.0/16 nexthop via 192.0.2.253 dev e0 weight 2 nexthop via 192.0.2.254 dev e0 weight 1",
    "2001:db8:9::/48 via 2001:db8::fe dev e0 table 100",
  ],
  rules: [
    "from 192.0.2.1 table 100 priority 1000",
    "to 10.20.0.0/16 fwmark 16/255 table 100 priority 1001",
    "to 2001:db8:9::/48 table 100 priority 1002",
  ],
};

for (const pair of pairs({ versions: [3], families: [4] })) {
  scenario(`routes and rules move with the role: ${pair.name}`, { topology: T2 }, async (lab) => {
    const block = (name: string, lines: readonly string[]) => [`${name} {`, ...lines.map((line) => `  ${line}`), "}"];
    const spec = (priority: number) => ({
      priority,
      viprd: { virtual_routes: shared.routes, virtual_rules: shared.rules },
      keepalived: [...block("virtual_routes", shared.routes), ...block("virtual_rules", shared.rules)],
    });
    const { r1 } = await pair.settled(lab, spec(200), spec(100));
    const count = shared.routes.length + shared.rules.length;
    await eventually("all of them on r1", async () => (await held(lab, "r1")).length === count, 1000);
    const before = await held(lab, "r1");
    expect(await held(lab, "r2")).toEqual([]);
    await lab.term(r1);
    await eventually("all of them on r2", async () => (await held(lab, "r2")).length === count, 3000);
    expect([await held(lab, "r1"), await held(lab, "r2")]).toEqual([[], before]);
  });
}

const config = (routes: readonly string[], statics: Readonly<Record<string, unknown>>) =>
  viprdConfig(
    { web: { priority: 200, interval: 100, viprd: { virtual_routes: routes, virtual_rules: shared.rules } } },
    statics,
  );

const statics = {
  static_ipaddress: ["203.0.113.5/24 dev e1"],
  static_routes: ["203.0.114.0/24 via 203.0.113.9 dev e1", "unreachable 10.30.0.0/16 table 200"],
  static_rules: ["from 203.0.113.5 table 200 priority 2000"],
};
const routes = [...shared.routes, "10.22.0.0/16 via 198.51.100.254 dev e1"];

/** Once it has all of it. */
async function complete(lab: Lab): Promise<string[]> {
  const count = routes.length + shared.rules.length + 3;
  await eventually("routes and rules", async () => (await held(lab, "r1")).length === count, 10_000);
  return held(lab, "r1");
}

async function told(viprd: Viprd, pattern: RegExp): Promise<void> {
  await eventually(`told: ${pattern}`, () => viprd.log.some(({ message }) => pattern.test(message)), 2000);
}

if (usesViprd()) {
  scenario("what others do to routes and rules is put right within 500 ms", { topology: T2x2 }, async (lab) => {
    const viprd = await lab.viprd("r1", config(routes, statics));
    const all = await complete(lab);
    const since = await viprd.entered("web", "active", 5000);
    const back = async (what: string, lines: readonly string[], pattern: RegExp) => {
      await lab.namespaces.ip("r1", lines);
      await eventually(`${what} is put right`, async () => (await held(lab, "r1")).join() === all.join(), 500, 20);
      await told(viprd, pattern);
    };
    await back(
      "a flushed table",
      ["route flush table 100"],
      /^route default .*removed by somebody else \(netlink port \d+\)$|^route default .*: put back$/,
    );
    await back(
      "a deleted rule",
      ["rule del priority 1000"],
      /^rule from 192\.0\.2\.1\/32 .* was removed by somebody else .*: put back$/,
    );
    await back(
      "a replaced route",
      ["route replace blackhole 10.21.0.0/16"],
      /^route 10\.21.* was replaced by 10\.21\.0\.0\/16 blackhole, protocol boot .*: put back$/,
    );
    await back("an IPv6 route", ["route del 2001:db8:9::/48 table 100"], /^route 2001:db8:9::\/48 .*: put back$/);
    await back("a static rule", ["rule del priority 2000"], /^rule from 203\.0\.113\.5\/32 .*: put back$/);
    await back(
      "a static address",
      ["addr del 203.0.113.5/24 dev e1"],
      /^address 203\.0\.113\.5\/24 on e1 was removed by somebody else .*: put back$/,
    );
    await back(
      "what goes with a link",
      ["link set e1 down", "link set e1 up"],
      /^route 10\.22\.0\.0\/16 .*: put back$|^route 10\.22.* is there now/,
    );
    // The role never moved.
    expect((await viprd.transitions()).filter(({ at }) => Date.parse(at) > since)).toEqual([]);
    const status = await viprd.cli("status");
    expect(status).not.toContain("MISSING");
    expect(status).toMatch(
      /^ {2}route +198\.51\.100\.0\/24 via 192\.0\.2\.254 dev e0 src 192\.0\.2\.1 table 100 +present$/m,
    );
    await lab.term(viprd);
    expect(await held(lab, "r1")).toEqual([]);
    expect(await lab.leftOvers("r1")).toEqual([]);
  });

  scenario(
    "a killed run's routes and rules are removed at the next start, others' never",
    { topology: T2x2 },
    async (lab) => {
      const foreign = [
        "route add blackhole 10.20.0.0/16",
        "route add unreachable 10.30.0.0/16 table 200",
        "rule add from 192.0.2.1 table 100 priority 1000",
      ];
      const theirs = async (): Promise<string> =>
        lab.namespaces.shell("r1", "ip route show table all | grep -E '10\\.(20|30)'; ip rule | grep -v 112");
      await lab.namespaces.ip("r1", foreign);
      const before = await theirs();
      // One with a number of its own is known by being the configured one.
      const own = "10.24.0.0/16 via 192.0.2.254 dev e0 proto 188";
      const shownOwn = () => lab.namespaces.shell("r1", "ip route show 10.24.0.0/16");
      const first = await lab.viprd("r1", config([...routes, own], statics));
      // Two routes that somebody else holds are left as they are.
      const count = routes.length + shared.rules.length + 3 - 2;
      await eventually("routes and rules", async () => (await held(lab, "r1")).length === count, 10_000);
      expect(await theirs()).toBe(before);
      expect((await first.instance()).routes[2]).toMatchObject({
        text: "blackhole 10.20.0.0/16",
        present: true,
        foreign: true,
      });
      await eventually("the one with its own number", async () => (await shownOwn()).includes("ospf"), 1000);
      await lab.kill9(first);
      expect(await held(lab, "r1")).toHaveLength(count);
      // A run that is not active, and has no statics.
      const second = await lab.viprd(
        "r1",
        viprdConfig({ web: { priority: 100, interval: 10_000, viprd: { virtual_routes: [own] } } }),
      );
      await second.entered("web", "backup", 15_000);
      expect(await held(lab, "r1")).toEqual([]);
      await eventually("its own number did not help it", async () => (await shownOwn()) === "", 1000);
      await lab.term(second);
      expect(await theirs()).toBe(before);
      await lab.namespaces.ip(
        "r1",
        foreign.map((line) => line.replace("add", "del")),
      );
    },
  );
}

/** Changes of routes and rules that the kernel tells of while `work` runs, in ip's words. */
async function changes(lab: Lab, node: string, work: () => Promise<void>): Promise<string[]> {
  const [command, args] = lab.namespaces.enter(node, "ip", "monitor", "route", "rule");
  const monitor = new Child(`ip monitor on ${node}`, command, args);
  await sleep(300);
  await work();
  await sleep(300);
  await monitor.stop();
  return monitor.lines.map(({ text }) => text.trim()).filter((text) => / proto 112\b/.test(text));
}

if (usesViprd()) {
  scenario(
    "what a reload or a restart of the VRRP process leaves as it is, never goes",
    { topology: T2x2 },
    async (lab) => {
      const viprd = await lab.viprd("r1", config(routes, statics));
      const all = await complete(lab);
      const other = "10.23.0.0/16 via 192.0.2.254 dev e0";
      const reloaded = await changes(lab, "r1", async () => {
        const changed = routes.map((line) => (line.startsWith("blackhole") ? "unreachable 10.20.0.0/16" : line));
        viprd.reload(config([...changed, other], statics));
        await eventually("the new route", async () => (await held(lab, "r1")).includes(other), 3000);
      });
      expect(reloaded.map((line) => line.replace(/ proto 112/, "")).sort()).toEqual(
        ["unreachable 10.20.0.0/16", other].sort(),
      );
      viprd.reload(config(routes, statics));
      await eventually("as before", async () => (await held(lab, "r1")).join() === all.join(), 3000);

      const killedAt = Date.now();
      const { pid } = (await viprd.status()).processes.vrrp;
      const restarted = await changes(lab, "r1", async () => {
        lab.interrupted("r1");
        process.kill(pid ?? 0, "SIGKILL");
        await viprd.entered("web", "active", 15_000, killedAt);
        await eventually("as before", async () => (await held(lab, "r1")).join() === all.join(), 3000);
      });
      const deleted = restarted.filter((line) => line.startsWith("Deleted"));
      expect(deleted.length).toBe(routes.length + shared.rules.length);
      expect(restarted.filter((line) => /203\.0\.11[34]|10\.30\./.test(line))).toEqual([]);
    },
  );

  scenario("a static address that the host had before stays its own", { topology: T2x2 }, async (lab) => {
    await lab.namespaces.ip("r1", ["addr add 203.0.113.5/24 dev e1"]);
    const shown = (): Promise<string> => lab.namespaces.shell("r1", "ip addr show dev e1 to 203.0.113.5");
    const before = await shown();
    const viprd = await lab.viprd("r1", config([], statics));
    await viprd.entered("web", "active", 15_000);
    expect(await shown()).toBe(before);
    expect((await viprd.status()).statics.addresses).toMatchObject([
      { address: "203.0.113.5/24", present: true, lease_s: null },
    ]);
    await lab.namespaces.ip("r1", ["addr del 203.0.113.5/24 dev e1"]);
    await eventually("it is viprd's now", async () => /valid_lft [1-5]sec/.test(await shown()), 500, 20);
    await lab.term(viprd);
    expect(await shown()).toBe("");
  });
}

for (const pair of pairs({ versions: [3], families: [4], viprd: "r1" })) {
  scenario(`on_removal: yield hands the role over: ${pair.name}`, { topology: T2 }, async (lab) => {
    const spec = (priority: number) => ({
      priority,
      preempt: false,
      viprd: { virtual_routes: shared.routes, virtual_rules: shared.rules, on_removal: "yield" },
    });
    const { r1, r2 } = await pair.settled(lab, spec(200), spec(100));
    await eventually("routes on r1", async () => (await held(lab, "r1")).length > 0, 1000);
    await sleep(500);
    lab.interrupted("r1");
    const flushed = Date.now();
    await lab.namespaces.ip("r1", ["route flush table 100"]);
    // Priority 0, then the skew of the other.
    const first = await lab.capture.waitForAdvert({ node: "r2", holding: true }, 3000);
    expectBetween("takeover after the flush", first.at - flushed, skewTime(3, 100, 1000), skewTime(3, 100, 1000) + 500);
    await r1.waitState("web", "backup", 1000);
    await r2.waitState("web", "active", 1000);
    expect(await held(lab, "r1")).toEqual([]);
    expect(await lab.hosts.holds("r1", pair.vip)).toBe(false);
  });
}

if (usesViprd()) {
  scenario("on_removal: ignore leaves it, and says so", { topology: T2x2 }, async (lab) => {
    const more = { virtual_routes: shared.routes, virtual_rules: shared.rules, on_removal: "ignore" };
    const viprd = await lab.viprd("r1", viprdConfig({ web: { priority: 200, interval: 100, viprd: more } }));
    const count = shared.routes.length + shared.rules.length;
    await eventually("routes and rules", async () => (await held(lab, "r1")).length === count, 10_000);
    await lab.namespaces.ip("r1", ["rule del priority 1000", "addr del 192.0.2.1/24 dev e0"]);
    await told(viprd, /^rule from 192\.0\.2\.1\/32 .*left as it is, as on_removal says$/);
    await told(viprd, /^address 192\.0\.2\.1\/24 on e0 .*left as it is, as on_removal says$/);
    await sleep(3000);
    // Of a table of its own the kernel keeps the route that has the address as its source.
    expect(await held(lab, "r1")).toHaveLength(count - 1);
    const { rules, addresses, state } = await viprd.instance();
    expect([state, rules[0]?.present, addresses[0]?.present]).toEqual(["active", false, false]);
    expect(rules[0]?.error).toMatch(/left as it is/);
  });
}

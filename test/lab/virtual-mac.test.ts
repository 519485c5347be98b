// the virtual router MAC address: what hosts and switches see of it, and what the devices behind it survive.
import { expect } from "vitest";
import { type Lab, scenario } from "../support/lab.ts";
import { downTime, expectBetween } from "../support/lab-checks.ts";
import { routerAdvertisement } from "../support/lab-forge.ts";
import { Child, eventually, sleep } from "../support/lab-process.ts";
import {
  defaultAddresses,
  keepalivedConfig,
  type RouterSpec,
  usesViprd,
  vip4,
  vip6,
  viprdConfig,
} from "../support/lab-routers.ts";
import { T1, T2, T2x2 } from "../support/lab-topologies.ts";
import type { Viprd } from "../support/lab-viprd.ts";

const mac4 = "00:00:5e:00:01:33";
const mac6 = "00:00:5e:00:02:33";
const dual = [...defaultAddresses(4), ...defaultAddresses(6)];

function vmac(priority: number, more: Readonly<Record<string, unknown>> = {}): RouterSpec {
  return { priority, addresses: dual, viprd: { use_vmac: true, ...more } };
}

async function start(lab: Lab, node: string, spec: RouterSpec): Promise<Viprd> {
  const router = await lab.viprd(node, viprdConfig({ web: spec }));
  await router.entered("web", "backup", 15_000);
  return router;
}

async function settled(lab: Lab, more: Readonly<Record<string, unknown>> = {}): Promise<{ r1: Viprd; r2: Viprd }> {
  const r1 = await start(lab, "r1", vmac(200, more));
  const r2 = await start(lab, "r2", vmac(100, more));
  await r1.waitState("web", "active", 10_000);
  await eventually("IPv4 answers", () => lab.hosts.reaches("h1", vip4), 3_000);
  await eventually("IPv6 answers", () => lab.hosts.reaches("h1", vip6), 3_000);
  return { r1, r2 };
}

/** Port of the switch that frames to this address go to. */
async function port(lab: Lab, mac: string): Promise<string | undefined> {
  const text = await lab.namespaces.shell("sw", "bridge -j fdb show br lan");
  const entries = JSON.parse(text) as { mac: string; ifname: string }[];
  return entries.find((entry) => entry.mac === mac)?.ifname;
}

async function interfaces(lab: Lab, node: string): Promise<{ ifname: string; address: string; flags: string[] }[]> {
  return JSON.parse(await lab.namespaces.shell(node, "ip -j link"));
}

async function isUp(lab: Lab, node: string, name: string): Promise<boolean | undefined> {
  return (await interfaces(lab, node)).find(({ ifname }) => ifname === name)?.flags.includes("UP");
}

/** Everything that leaves a node under a virtual MAC address but advertisements, as tcpdump tells it: groups, solicitations. */
async function eavesdrop(lab: Lab, node: string): Promise<{ heard(from: number): string[]; stop(): void }> {
  const filter = `(ether src ${mac4} or ether src ${mac6}) and not ip proto 112 and not ip6 proto 112`;
  const options = ["-l", "-n", "-e", "-tt", "-Q", "in", "-i", `${node}.e0`];
  const [command, args] = lab.namespaces.enter("sw", "tcpdump", ...options, filter);
  const child = new Child(`tcpdump on ${node}`, command, args);
  await child.waitLine((line) => line.includes("listening on"), 10_000);
  const at = (line: string) => Number(line.split(" ")[0]) * 1000;
  return {
    heard: (from) => child.lines.map(({ text }) => text).filter((text) => at(text) > from),
    stop: () => child.signal("SIGINT"),
  };
}

function repairs(router: Viprd): string[] {
  return router.log.map(({ message }) => message).filter((message) => message.includes("somebody else"));
}

if (usesViprd()) {
  scenario("hosts and switches know one MAC address before and after a takeover", { topology: T2 }, async (lab) => {
    await settled(lab);
    expect([await lab.hosts.neighbor("h1", vip4), await lab.hosts.neighbor("h1", vip6)]).toEqual([mac4, mac6]);
    const sources = new Set(lab.capture.adverts({ node: "r1" }).map(({ mac, source }) => `${mac} ${source}`));
    // The link-local source belongs to this router alone; it has nothing of the virtual MAC address.
    expect([...sources].sort()).toEqual([`${mac4} 192.0.2.11`, `${mac6} fe80::ff:fe00:10b`]);
    expect([await port(lab, mac4), await port(lab, mac6)]).toEqual(["r1.e0", "r1.e0"]);
    await lab.killNode("r1");
    const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
    await eventually("the switch sends to r2", async () => (await port(lab, mac4)) === "r2.e0", 200, 5);
    expectBetween("the switch has learned", Date.now() - first.at, 0, 250);
    await eventually("answers again", () => lab.hosts.reaches("h1", vip4), 1_000, 5);
    expect([await lab.hosts.neighbor("h1", vip4), await lab.hosts.neighbor("h1", vip6)]).toEqual([mac4, mac6]);
  });

  scenario("exactly the active answers, with the virtual MAC address", { topology: T2 }, async (lab) => {
    const { r2 } = await settled(lab);
    for (let i = 0; i < 3; i++) {
      for (const address of [vip4, vip6]) expect(await lab.hosts.whoAnswers("h1", address, 60)).toEqual(["r1"]);
    }
    const up = await lab.faults.linkDown("r2");
    await sleep(300);
    await up();
    await r2.waitState("web", "backup", 5_000);
    for (const address of [vip4, vip6]) expect(await lab.hosts.whoAnswers("h1", address)).toEqual(["r1"]);
    const replies = lab.capture.arp(vip4, { operation: "reply" });
    expect(new Set(replies.map(({ mac, senderMac }) => `${mac} ${senderMac}`))).toEqual(new Set([`${mac4} ${mac4}`]));
    const answers = lab.capture.neighborAdvertisements(vip6).filter(({ solicited }) => solicited);
    expect(new Set(answers.map(({ mac, router }) => `${mac} ${router}`))).toEqual(new Set([`${mac6} true`]));
  });

  scenario("a backup is silent and deaf under the virtual MAC address", { topology: T2 }, async (lab) => {
    const listener = await eavesdrop(lab, "r2");
    await settled(lab);
    await lab.namespaces.shell("r2", "echo 1 > /proc/sys/net/ipv4/ip_forward");
    expect(lab.capture.frames.filter(({ node, mac }) => node === "r2" && [mac4, mac6].includes(mac))).toEqual([]);
    await sleep(4_000);
    expect(listener.heard(0)).toEqual([]);
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
    listener.stop();
    // Frames for the virtual router that reach the backup all the same: neither answered nor forwarded.
    await lab.namespaces.shell("sw", `bridge fdb replace ${mac4} dev r2.e0 master static sticky`);
    const before = lab.capture.frames.length;
    expect(await lab.hosts.reaches("h1", vip4)).toBe(false);
    await lab.namespaces.shell(
      "h1",
      `ip route add 198.51.100.0/24 via ${vip4}; ip neigh replace ${vip4} lladdr ${mac4} dev e0 nud permanent`,
    );
    expect(await lab.hosts.reaches("h1", "198.51.100.1")).toBe(false);
    const late = lab.capture.frames.slice(before).filter(({ node, kind }) => node === "r2" && kind !== "advert");
    expect(late.filter(({ mac }) => [mac4, mac6].includes(mac))).toEqual([]);
    await lab.namespaces.shell("sw", `bridge fdb del ${mac4} dev r2.e0 master static`);
    await lab.namespaces.shell("r2", "echo 0 > /proc/sys/net/ipv4/ip_forward");
  });

  scenario("a router that is relieved or stopped falls silent at once", { topology: T2 }, async (lab) => {
    await start(lab, "r2", vmac(100));
    await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
    await eventually("IPv6 answers", () => lab.hosts.reaches("h1", vip6), 3_000);
    const [second, first] = [await eavesdrop(lab, "r2"), await eavesdrop(lab, "r1")];
    const r1 = await start(lab, "r1", vmac(200));
    const relief = await lab.capture.waitForAdvert({ node: "r1" }, 10_000);
    await eventually("the device is down", async () => (await isUp(lab, "r2", "vrrp6.51")) === false, 1_000, 20);
    await sleep(1_000);
    // No report of a group that is left.
    expect(second.heard(relief.at + 20)).toEqual([]);
    await lab.term(r1);
    const farewell = lab.capture.lastAdvert({ node: "r1" });
    await lab.capture.waitForAdvert({ node: "r2", from: farewell.at }, 2_000);
    expect(first.heard(0).length).toBeGreaterThan(0);
    expect(first.heard(farewell.at)).toEqual([]);
    for (const { stop } of [first, second]) stop();
    expect((await interfaces(lab, "r1")).map(({ ifname }) => ifname)).toEqual(["lo", "e0"]);
  });

  scenario("a device that is deleted or set down comes back, and the role is kept", { topology: T1 }, async (lab) => {
    const r1 = await start(lab, "r1", vmac(200));
    await r1.waitState("web", "active", 10_000);
    // What happens right after a change of its own viprd does not blame on others.
    await sleep(500);
    await lab.namespaces.ip("r1", ["link del vrrp.51", "link set vrrp6.51 down"]);
    const removed = Date.now();
    await eventually("IPv4 answers", () => lab.hosts.reaches("h1", vip4), 2_000, 20);
    await eventually("IPv6 answers", () => lab.hosts.reaches("h1", vip6), 2_000, 20);
    expectBetween("repaired", Date.now() - removed, 0, 1_500);
    await eventually("told", () => repairs(r1).length >= 2, 1_000);
    expect(repairs(r1)).toEqual(
      expect.arrayContaining([
        "vrrp.51 was deleted by somebody else: made again",
        "vrrp6.51 was set down by somebody else: set up again",
      ]),
    );
    expect((await r1.transitions()).map(({ to }) => to)).toEqual(["backup", "active"]);
  });

  scenario("what a killed run left is found again: devices, addresses, settings", { topology: T2 }, async (lab) => {
    const { r1 } = await settled(lab);
    const before = (await interfaces(lab, "r1")).length;
    await lab.kill9(r1);
    expect(await isUp(lab, "r1", "vrrp.51")).toBe(true);
    const again = await start(lab, "r1", { ...vmac(50), addresses: defaultAddresses(4) });
    expect(await isUp(lab, "r1", "vrrp.51")).toBe(false);
    await eventually("one device is gone", async () => (await interfaces(lab, "r1")).length === before - 1, 1_000);
    const text = again.log.map(({ message }) => message).join("\n");
    expect(text).toContain("removing left-over virtual MAC device vrrp6.51 (viprd: web, virtual router 51 over IPv6)");
    // The stop must know what the administrator had, though this run found the settings changed.
    expect(await lab.namespaces.shell("r1", "cat /proc/sys/net/ipv4/conf/e0/arp_ignore")).toBe("1\n");
  });

  scenario(
    "vmac_xmit_base: advertisements from the interface, answers from the device",
    { topology: T2 },
    async (lab) => {
      await settled(lab, { vmac_xmit_base: true });
      const own = await lab.hosts.mac("r1");
      expect(new Set(lab.capture.adverts({ node: "r1" }).map(({ mac }) => mac))).toEqual(new Set([own]));
      expect([await lab.hosts.neighbor("h1", vip4), await lab.hosts.neighbor("h1", vip6)]).toEqual([mac4, mac6]);
    },
  );

  scenario("a foreign interface of that name is left alone and named", { topology: T1 }, async (lab) => {
    await lab.namespaces.ip("r1", ["link add vrrp.51 type bridge"]);
    const r1 = await lab.viprd("r1", viprdConfig({ web: vmac(200) }));
    const reasons = await eventually(
      "a reason",
      async () => {
        const { reasons } = await r1.instance();
        return reasons.some((reason) => reason.includes("vrrp.51")) && reasons;
      },
      8_000,
    );
    expect(reasons).toEqual([
      "interface vrrp.51 exists and was not made by viprd: remove it, or name another device with use_vmac",
    ]);
    await lab.namespaces.ip("r1", ["link del vrrp.51"]);
    await r1.waitState("web", "active", 10_000);
  });

  scenario("over IPv6 alone a host's default route survives the takeover", { topology: T2x2 }, async (lab) => {
    await lab.namespaces.ip("r1", ["addr add 2001:db8:1::11/64 dev e1 nodad"]);
    await lab.namespaces.ip("r2", ["addr add 2001:db8:1::12/64 dev e1 nodad"]);
    await lab.namespaces.ip("h2", [
      "addr add 2001:db8:1::100/64 dev e0 nodad",
      "route add 2001:db8::/64 via 2001:db8:1::11",
    ]);
    await lab.namespaces.shell("h1", "echo 1 > /proc/sys/net/ipv6/conf/e0/accept_ra");
    const spec = (priority: number): RouterSpec => ({ ...vmac(priority), addresses: defaultAddresses(6) });
    await start(lab, "r1", spec(200));
    const r2 = await start(lab, "r2", spec(100));
    const first = await lab.capture.waitForAdvert({ node: "r1" }, 10_000);
    // Each router speaks under a link-local address of its own.
    expect([first.mac, first.source, first.addresses[0]]).toEqual([mac6, "fe80::ff:fe00:10b", "fe80::51"]);
    // Under the virtual router's name, as a daemon on the active router would send it.
    await (await lab.injector("r1")).send(routerAdvertisement(mac6, "fe80::51", 1800));
    const route = () => lab.namespaces.shell("h1", "ip -6 route show default");
    await eventually("a default route", async () => (await route()).includes("via fe80::51 dev e0 proto ra"), 2_000);
    await eventually("forwarded", () => lab.hosts.reaches("h1", "2001:db8:1::100"), 3_000);
    await lab.namespaces.shell("h2", "ip -6 route replace 2001:db8::/64 via 2001:db8:1::12");
    const killed = await lab.killNode("r1");
    await eventually("forwarded again", () => lab.hosts.reaches("h1", "2001:db8:1::100"), 8_000, 20);
    expectBetween("forwarded after the crash", Date.now() - killed, 0, downTime(3, 100, 1000) + 1_000);
    expect(await route()).toContain("via fe80::51 dev e0 proto ra");
    expect(await lab.hosts.neighbor("h1", "fe80::51")).toBe(mac6);
    await r2.waitState("web", "active", 1_000);
    const groups = (node: string) => lab.namespaces.shell(node, "cat /proc/net/igmp6");
    expect(await groups("r2")).toMatch(/vrrp6\.51 +ff0200000000000000000001ff000051/);
  });

  for (const [one, two] of [
    ["viprd", "keepalived"],
    ["keepalived", "viprd"],
  ] as const) {
    scenario(`both with use_vmac: ${one} is relieved by ${two}`, { topology: T2 }, async (lab) => {
      const spec = (priority: number): RouterSpec => ({
        priority,
        checksum: "pseudo_header",
        viprd: { use_vmac: true },
        keepalived: ["use_vmac"],
      });
      // Without a device the addresses of keepalived are on its macvlan.
      const launch = (node: string, kind: typeof one | typeof two, web: RouterSpec) =>
        kind === "viprd"
          ? lab.viprd(node, viprdConfig({ web }))
          : lab.keepalived(node, keepalivedConfig({ web }).replaceAll(" dev e0", ""));
      const r1 = await launch("r1", one, spec(200));
      await r1.entered("web", "backup", 15_000);
      const r2 = await launch("r2", two, spec(100));
      await r2.entered("web", "backup", 15_000);
      await r1.waitState("web", "active", 15_000);
      await eventually("answers", () => lab.hosts.reaches("h1", vip4), 3_000);
      expect(await lab.hosts.whoAnswers("h1", vip4)).toEqual(["r1"]);
      await lab.killNode("r1");
      await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      await eventually("answers again", () => lab.hosts.reaches("h1", vip4), 2_000, 10);
      // keepalived 2.2.7 itself asks for the host with the virtual address and its own MAC address.
      if (two === "viprd") expect(await lab.hosts.neighbor("h1", vip4)).toBe(mac4);
    });
  }
}

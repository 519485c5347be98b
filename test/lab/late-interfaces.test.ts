// what an interface can lose and get back while a router of both families runs on it: told with a reason, ended by itself.
import { expect } from "vitest";
import { type Lab, scenario } from "../support/lab.ts";
import { eventually, sleep } from "../support/lab-process.ts";
import { defaultAddresses, usesViprd } from "../support/lab-routers.ts";
import { T1 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

const linkLocal = "fe80::ff:fe00:10b";
const virtual = ["192.0.2.1", "fe80::51", "2001:db8::51"];

interface Trouble {
  readonly name: string;
  readonly reason: RegExp;
  begin(lab: Lab): Promise<unknown>;
  end(lab: Lab): Promise<unknown>;
}

function ip(begin: string, end: string): Pick<Trouble, "begin" | "end"> {
  return {
    begin: (lab) => lab.namespaces.ip("r1", [begin]),
    end: (lab) => lab.namespaces.ip("r1", [end]),
  };
}

function sysctl(path: string, begin: number, end: number): Pick<Trouble, "begin" | "end"> {
  const set = (value: number) => (lab: Lab) => lab.namespaces.shell("r1", `echo ${value} > /proc/sys/net/${path}`);
  return { begin: set(begin), end: set(end) };
}

const troubles: readonly Trouble[] = [
  {
    name: "the carrier",
    reason: /^interface e0 has no carrier/,
    begin: (lab) => lab.namespaces.ip("sw", ["link set r1.e0 down"]),
    end: (lab) => lab.namespaces.ip("sw", ["link set r1.e0 up"]),
  },
  { name: "being up", reason: /^interface e0 is down/, ...ip("link set e0 down", "link set e0 up") },
  {
    name: "IPv6 as a whole",
    reason: /no IPv6 link-local address/,
    ...sysctl("ipv6/conf/e0/disable_ipv6", 1, 0),
  },
  {
    name: "an MTU that IPv6 needs",
    reason: /no IPv6 link-local address/,
    ...ip("link set e0 mtu 1200", "link set e0 mtu 1500"),
  },
  {
    name: "its link-local address",
    reason: /no IPv6 link-local address/,
    ...ip(`addr del ${linkLocal}/64 dev e0`, `addr add ${linkLocal}/64 dev e0`),
  },
  {
    name: "its IPv4 address",
    reason: /no IPv4 address/,
    ...ip("addr del 192.0.2.11/24 dev e0", "addr add 192.0.2.11/24 dev e0"),
  },
  {
    name: "its independence, to a bridge",
    reason: /^interface e0 is a port of a bridge/,
    begin: (lab) => lab.namespaces.ip("r1", ["link add br9 type bridge", "link set br9 up", "link set e0 master br9"]),
    end: (lab) => lab.namespaces.ip("r1", ["link set e0 nomaster", "link del br9"]),
  },
  {
    name: "itself, and returns with another index and MAC",
    reason: /^interface e0 does not exist/,
    begin: (lab) => lab.faults.unplug("r1"),
    end: (lab) => lab.faults.plug("r1", { name: "e0", bridge: "lan", id: 21, addresses: ["192.0.2.11/24"] }),
  },
];

/** Groups that VRRP is received by, as the kernel lists them for the interface: the hexadecimal text and the users. */
async function memberships(lab: Lab): Promise<string[]> {
  const script =
    "awk '$1 ~ /^[0-9]+$/ { d = $2 } $1 == \"120000E0\" { print d, $2 }' /proc/net/igmp; awk '$3 ~ /^ff02.*12$/ { print $2, $4 }' /proc/net/igmp6";
  return (await lab.namespaces.shell("r1", script)).split("\n").filter(Boolean);
}

async function started(lab: Lab): Promise<Viprd> {
  const addresses = [...defaultAddresses(4), ...defaultAddresses(6)];
  const r1 = await lab.router("r1", "viprd", { priority: 200, interval: 200, addresses });
  if (!(r1 instanceof Viprd)) throw new Error("r1 has to be viprd");
  await r1.waitState("web", "active", 15_000);
  return r1;
}

async function expectOutage(lab: Lab, r1: Viprd, { name, reason, begin, end }: Trouble): Promise<void> {
  lab.interrupted("r1");
  await begin(lab);
  await r1.waitState("web", "initialize", 2_000);
  expect(
    (await r1.instance()).reasons.filter((text) => reason.test(text)),
    name,
  ).toHaveLength(1);
  const held = await lab.hosts.addresses("r1");
  expect(
    held.filter((text) => virtual.some((address) => text.startsWith(`${address}/`))),
    name,
  ).toEqual([]);
  await sleep(300);
  lab.interrupted("r1");
  const from = Date.now();
  await end(lab);
  await r1.entered("web", "backup", 4_000, from - 5);
  await eventually(`${name}: groups joined again`, async () => (await memberships(lab)).join() === "e0 1,e0 1", 1_000);
  await r1.waitState("web", "active", 3_000);
  await eventually(
    `${name}: addresses back`,
    async () => (await Promise.all(virtual.map((address) => lab.hosts.holds("r1", address)))).every(Boolean),
    1_000,
  );
}

if (usesViprd()) {
  for (const [half, some] of [troubles.slice(0, 4), troubles.slice(4)].entries()) {
    scenario(
      `what an interface loses is told, and the router is back when it has it again (${half + 1} of 2)`,
      { topology: T1 },
      async (lab) => {
        const r1 = await started(lab);
        for (const trouble of some) await expectOutage(lab, r1, trouble);
      },
    );
  }

  scenario(
    "where an interface got its name late, the host's own address outlives the role",
    { topology: T1 },
    async (lab) => {
      await lab.namespaces.shell("r1", "echo 0 > /proc/sys/net/ipv4/conf/e0/promote_secondaries");
      const addresses = ["198.51.100.1/24"];
      const r1 = await lab.router("r1", "viprd", { priority: 200, interval: 200, interface: "lan0", addresses });
      await r1.child.waitLine((line) => line.includes("interface lan0 does not exist"), 15_000);
      await lab.namespaces.ip("r1", ["link set e0 down", "link set e0 name lan0", "link set lan0 up"]);
      await r1.waitState("web", "active", 5_000);
      await eventually("the virtual address", () => lab.hosts.holds("r1", "198.51.100.1"), 1_000);
      // After the virtual one, so the kernel has it as secondary, and would let it go together with that.
      await lab.namespaces.ip("r1", ["addr add 198.51.100.11/24 dev lan0"]);
      await lab.term(r1);
      expect(await lab.hosts.holds("r1", "198.51.100.1")).toBe(false);
      expect(await lab.hosts.holds("r1", "198.51.100.11")).toBe(true);
    },
  );

  scenario("duplicate address detection is waited for, and a failed one told", { topology: T1 }, async (lab) => {
    await lab.namespaces.shell("r1", "cd /proc/sys/net/ipv6/conf/e0; echo 1 > accept_dad; echo 4 > dad_transmits");
    await lab.namespaces.ip("r1", ["link set e0 down", "link set e0 up"]);
    const addresses = defaultAddresses(6);
    const r1 = await lab.router("r1", "viprd", { priority: 200, interval: 200, addresses });
    if (!(r1 instanceof Viprd)) throw new Error("r1 has to be viprd");
    const reasons = async () => (await r1.instance()).reasons.join("; ");
    await eventually("tentative", async () => /is tentative/.test(await reasons()), 3_000);
    await r1.waitState("web", "active", 15_000);
    await lab.namespaces.shell("r1", "echo 1 > /proc/sys/net/ipv6/conf/e0/dad_transmits");
    // The same interface identifier on another host.
    lab.interrupted("r1");
    await lab.namespaces.ip("h1", [`addr add ${linkLocal}/64 dev e0 nodad`]);
    await lab.namespaces.ip("r1", ["link set e0 down", "link set e0 up"]);
    await eventually("a duplicate", async () => /is a duplicate of another host's/.test(await reasons()), 4_000);
    await lab.namespaces.ip("h1", [`addr del ${linkLocal}/64 dev e0`]);
    await lab.namespaces.ip("r1", [`addr del ${linkLocal}/64 dev e0`, `addr add ${linkLocal}/64 dev e0`]);
    await r1.waitState("web", "active", 6_000);
    expect(await memberships(lab)).toEqual(["e0 1"]);
    await lab.namespaces.shell("r1", "echo 4 > /proc/sys/net/ipv6/conf/e0/dad_transmits");
  });
}

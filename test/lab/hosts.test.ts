// what hosts on the LAN see, one or both address families, two virtual routers, snooping switches.
import { expect } from "vitest";
import { scenario, soak } from "../support/lab.ts";
import { downTime, expectBetween, expectTakeover, tolerance } from "../support/lab-checks.ts";
import { pairs } from "../support/lab-pairs.ts";
import { eventually, sleep } from "../support/lab-process.ts";
import { defaultAddresses, subject, usesViprd } from "../support/lab-routers.ts";
import { T2 } from "../support/lab-topologies.ts";

for (const pair of pairs()) {
  const address = pair.family === 4 ? pair.vip : "2001:db8::51";

  scenario(`a host's cache follows the takeover: ${pair.name}`, { topology: T2 }, async (lab) => {
    await pair.settled(lab, { priority: 200 }, { priority: 100 });
    await eventually("the address answers", () => lab.hosts.reaches("h1", address), 3_000);
    expect(await lab.hosts.neighbor("h1", address)).toBe(await lab.hosts.mac("r1"));
    await sleep(1_500);
    await lab.killNode("r1");
    const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
    const announced = await lab.capture.waitForAnnouncement(address, { node: "r2" }, 1_000);
    expectBetween("announcement after the first advert", announced.at - first.at, 0, pair.r2 === "viprd" ? 20 : 50);
    const macOfR2 = await lab.hosts.mac("r2");
    await eventually("h1 sends to r2", async () => (await lab.hosts.neighbor("h1", address)) === macOfR2, 300, 5);
  });

  scenario(`exactly the active answers for the address: ${pair.name}`, { topology: T2 }, async (lab) => {
    await pair.settled(lab, { priority: 200 }, { priority: 100 });
    await sleep(500);
    for (let i = 0; i < soak(100, 5); i++) expect(await lab.hosts.whoAnswers("h1", address, 60)).toEqual(["r1"]);
    const up = await lab.faults.linkDown("r2");
    await sleep(300);
    await up();
    await sleep(300);
    expect(await lab.hosts.whoAnswers("h1", address)).toEqual(["r1"]);
  });
}

for (const pair of pairs({ viprd: "r2", versions: [3] })) {
  const address = pair.family === 4 ? pair.vip : "2001:db8::51";
  scenario(
    `when the first announcements are lost, the delayed ones repair hosts: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      await pair.settled(lab, { priority: 200 }, { priority: 100 });
      await eventually("the address answers", () => lab.hosts.reaches("h1", address), 3_000);
      const deaf = await lab.faults.rules(
        'iifname "r2.e0" ether type arp drop',
        'iifname "r2.e0" icmpv6 type nd-neighbor-advert drop',
      );
      await sleep(1_000);
      await lab.killNode("r1");
      const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      await sleep(1_500);
      const macOfR2 = await lab.hosts.mac("r2");
      expect(await lab.hosts.neighbor("h1", address)).not.toBe(macOfR2);
      await deaf();
      const delayed = await lab.capture.waitForAnnouncement(address, { node: "r2", from: Date.now() }, 5_000);
      expectBetween("second burst after the takeover", delayed.at - first.at, 1_500, 5_000 + tolerance(1000));
      await eventually("h1 sends to r2", async () => (await lab.hosts.neighbor("h1", address)) === macOfR2, 1_000, 10);
    },
  );
}

for (const pair of pairs({ versions: [3], families: [6] })) {
  scenario(`a LAN without IPv4: ${pair.name}`, { topology: T2 }, async (lab) => {
    for (const node of ["r1", "r2", "h1"]) await lab.namespaces.shell(node, "ip -4 addr flush dev e0");
    const { first } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
    expect(first.source).toMatch(/^fe80:/);
    expect(first.addresses[0]).toBe("fe80::51");
    await sleep(1_500);
    const announced = lab.capture.announcements("2001:db8::51", { node: "r1" })[0];
    if (pair.r1 === "viprd") {
      // R=1: a host that loses the router flag drops its default route (RFC 4861 section 6.2.5).
      expect(announced).toMatchObject({
        router: true,
        solicited: false,
        override: true,
        destination: "ff02::1",
        linkLayer: await lab.hosts.mac("r1"),
      });
    }
    await lab.killNode("r1");
    const taken = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
    expectTakeover(lab.capture.lastAdvert({ node: "r1" }), taken, downTime(3, 100, 1000));
    expect(taken.source).toMatch(/^fe80:/);
    expect(taken.source).not.toBe(first.source);
  });

  scenario(
    `the addresses of a new active are usable though the old one still has them: ${pair.name}`,
    { topology: T2, dirty: true },
    async (lab) => {
      const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      await sleep(1_200);
      await lab.kill9(r1);
      await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      await sleep(300);
      const text = await lab.namespaces.shell("r2", "ip -6 -o addr show dev e0");
      expect(text).toContain("2001:db8::51");
      expect(text).not.toMatch(/tentative|dadfailed/);
    },
  );
}

if (usesViprd()) {
  scenario("two instances of one VRID, one for each family, move apart", { topology: T2 }, async (lab) => {
    const both = (priority: number) => ({
      four: { priority, addresses: defaultAddresses(4) },
      six: { priority, addresses: defaultAddresses(6) },
    });
    const r1 = await lab.router("r1", subject, both(200));
    await Promise.all([r1.entered("four", "backup", 15_000), r1.entered("six", "backup", 15_000)]);
    const r2 = await lab.router("r2", subject, both(100));
    await r2.entered("six", "backup", 15_000);
    await lab.capture.waitForAdvert({ node: "r1", family: 4 }, 10_000);
    await lab.capture.waitForAdvert({ node: "r1", family: 6 }, 10_000);
    await sleep(1_200);
    lab.interrupted("r1");
    await lab.namespaces.shell("r1", "echo 1 > /proc/sys/net/ipv6/conf/e0/disable_ipv6");
    const first = await lab.capture.waitForAdvert({ node: "r2", family: 6 }, 10_000);
    expectBetween(
      "takeover",
      first.at - lab.capture.lastAdvert({ node: "r1", family: 6, holding: true }).at,
      0,
      downTime(3, 100, 1000) + tolerance(1000),
    );
    await sleep(2_000);
    expect(lab.capture.adverts({ node: "r2", family: 4 })).toEqual([]);
    expect(lab.capture.adverts({ node: "r1", family: 4, from: first.at }).length).toBeGreaterThan(0);
    await lab.namespaces.shell("r1", "echo 0 > /proc/sys/net/ipv6/conf/e0/disable_ipv6");
    await r1.entered("six", "backup", 5_000, first.at);
  });

  scenario("one instance with both families moves as one", { topology: T2 }, async (lab) => {
    const addresses = [...defaultAddresses(4), ...defaultAddresses(6)];
    const r1 = await lab.router("r1", subject, { priority: 200, addresses });
    await r1.entered("web", "backup", 15_000);
    const r2 = await lab.router("r2", subject, { priority: 100, addresses });
    await r2.entered("web", "backup", 15_000);
    await lab.capture.waitForAdvert({ node: "r1", family: 4 }, 10_000);
    await lab.capture.waitForAdvert({ node: "r1", family: 6 }, 10_000);
    await sleep(1_200);
    await lab.killNode("r1");
    const four = await lab.capture.waitForAdvert({ node: "r2", family: 4 }, 10_000);
    const six = await lab.capture.waitForAdvert({ node: "r2", family: 6 }, 10_000);
    expectBetween("both families", Math.abs(four.at - six.at), 0, 1_050);
    await sleep(200);
    for (const address of addresses) expect(await lab.hosts.addresses("r2")).toContain(address);
  });
}

for (const querier of [true, false]) {
  for (const pair of pairs({ viprd: "both", versions: [3] })) {
    scenario(
      `a snooping switch ${querier ? "with" : "without"} a querier loses no advert: ${pair.name}`,
      { topology: T2, timeout: 700_000 },
      async (lab) => {
        const value = querier ? 1 : 0;
        await lab.namespaces.shell(
          "sw",
          `ip link set lan type bridge mcast_snooping 1 mcast_querier ${value} mcast_membership_interval 1000 mcast_query_interval 300`,
        );
        const { r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
        const from = Date.now();
        await sleep(soak(600_000, 20_000));
        expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
        const received = lab.capture.adverts({ node: "r1", from }).length;
        expect(received).toBeGreaterThan(0);
        expect(await r2.waitState("web", "backup", 1_000)).toBeLessThan(from);
      },
    );
  }
}

for (const pair of pairs({ families: [4], versions: [3] })) {
  scenario(
    `two virtual routers share the load, and one node serves both when the other dies: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const specs = (one: number, two: number) => ({
        one: pair.spec({ priority: one }),
        two: pair.spec({ priority: two, vrid: 52, addresses: ["192.0.2.2/24"] }),
      });
      const r1 = await lab.router("r1", pair.r1, specs(200, 100));
      await r1.entered("one", "backup", 15_000);
      const r2 = await lab.router("r2", pair.r2, specs(100, 200));
      await r2.entered("two", "backup", 15_000);
      await lab.capture.waitForAdvert({ node: "r1", vrid: 51 }, 10_000);
      await lab.capture.waitForAdvert({ node: "r2", vrid: 52 }, 10_000);
      await sleep(2_500);
      expect(lab.capture.adverts({ node: "r2", vrid: 51 })).toEqual([]);
      const killed = await lab.killNode("r1");
      const first = await lab.capture.waitForAdvert({ node: "r2", vrid: 51 }, 10_000);
      expectTakeover(lab.capture.lastAdvert({ node: "r1", vrid: 51 }), first, downTime(3, 100, 1000));
      await sleep(1_200);
      expect(lab.capture.adverts({ node: "r2", vrid: 52, from: killed }).length).toBeGreaterThanOrEqual(4);
    },
  );
}

// address lists that differ, addresses changed behind the agent's back, interfaces that come and go.
import { expect } from "vitest";
import { scenario, soak } from "../support/lab.ts";
import { downTime, expectBetween, expectTakeover, expectTime, tolerance } from "../support/lab-checks.ts";
import { pairs } from "../support/lab-pairs.ts";
import { eventually, sleep } from "../support/lab-process.ts";
import { usesViprd } from "../support/lab-routers.ts";
import { T1, T2 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

for (const pair of pairs({ families: [4], viprd: "r2" })) {
  const two = { priority: 200, addresses: ["192.0.2.1/24", "192.0.2.2/24"] };
  scenario(`address lists that differ are told, not acted upon: ${pair.name}`, { topology: T2 }, async (lab) => {
    const { r2 } = await pair.settled(lab, two, { priority: 100 });
    const before = r2 instanceof Viprd ? (await r2.instance()).counters.address_list_errors : 0;
    await sleep(4_000);
    if (r2 instanceof Viprd) {
      expectBetween("address errors", (await r2.instance()).counters.address_list_errors - before, 3, 5);
      expect(r2.log.some((line) => /address/i.test(line.message) && /warn|40/.test(String(line.level)))).toBe(true);
    }
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
  });
}

for (const pair of pairs({ versions: [2], viprd: "r2" })) {
  scenario(
    `version 2 with check_adv_addr discards a foreign list: ${pair.name}`,
    { topology: T2, dual: true },
    async (lab) => {
      const r1 = await pair.start(lab, "r1", { priority: 200, addresses: ["192.0.2.1/24", "192.0.2.2/24"] });
      await r1.entered("web", "backup", 15_000);
      const r2 = await pair.start(lab, "r2", { priority: 100, viprd: { check_adv_addr: true } });
      await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
      await lab.capture.waitForAdvert({ node: "r2" }, 15_000);
      if (r2 instanceof Viprd) expect(await r2.rejected("address_list")).toBeGreaterThanOrEqual(1);
    },
  );
}

for (const pair of pairs({ viprd: "both" })) {
  const address = pair.family === 4 ? pair.vip : "2001:db8::51";
  const prefix = pair.family === 4 ? 24 : 64;

  scenario(`an address removed behind the agent's back returns: ${pair.name}`, { topology: T2 }, async (lab) => {
    await pair.settled(lab, { priority: 200 }, { priority: 100 });
    await sleep(1_500);
    const from = Date.now();
    await lab.namespaces.ip("r1", [`addr del ${address}/${prefix} dev e0`]);
    const removed = Date.now();
    // Put back and announced, or the role given up and announced by the other.
    const announced = await lab.capture.waitForAnnouncement(address, { from }, 2_000);
    expectBetween(
      "announced after the removal",
      announced.at - removed,
      from - removed,
      announced.node === "r1" ? 500 : 1_200,
    );
    await eventually("the address is there", () => lab.hosts.holds(announced.node, address), 500);
    expect(await lab.hosts.whoAnswers("h1", address)).toHaveLength(1);
  });

  scenario(`an address put on a backup by hand is removed or reported: ${pair.name}`, { topology: T2 }, async (lab) => {
    const { r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
    const added = Date.now();
    await lab.namespaces.ip("r2", [`addr add ${address}/${prefix} dev e0${pair.family === 6 ? " nodad" : ""}`]);
    const dealtWith = async (): Promise<boolean> => {
      if (!(await lab.hosts.holds("r2", address))) return true;
      return (
        r2 instanceof Viprd &&
        r2.log.some((line) => line.at >= added && line.text.includes(address) && /warn|40/.test(String(line.level)))
      );
    };
    await eventually("removed or reported", dealtWith, 1_100, 20);
    expect(await lab.hosts.whoAnswers("h1", address)).toEqual(["r1"]);
    if (await lab.hosts.holds("r2", address)) await lab.namespaces.ip("r2", [`addr del ${address}/${prefix} dev e0`]);
  });

  scenario(
    `addresses added and removed by configuration do not move the role: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const { r1, r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      const old = pair.spec({ priority: 200 }).addresses ?? [];
      const extra = pair.family === 4 ? "192.0.2.2" : "2001:db8::52";
      const more = [...old, `${extra}/${prefix}`];
      const ping = lab.hosts.ping("h1", address);
      await sleep(1_000);
      const added = Date.now();
      lab.reload(r1, pair.spec({ priority: 200, addresses: more }));
      lab.reload(r2, pair.spec({ priority: 100, addresses: more }));
      const announced = await lab.capture.waitForAnnouncement(extra, { from: added }, 2_000);
      const listed = await lab.capture.waitFor(
        "advert that lists it",
        (frame): frame is typeof frame =>
          frame.kind === "advert" && frame.at >= added && frame.addresses.includes(extra),
        2_000,
      );
      expectBetween("advert with the new address after its announcement", listed.at - announced.at, -1_050, 1_050);
      expect(await lab.hosts.reaches("h1", extra)).toBe(true);
      lab.reload(r1, pair.spec({ priority: 200, addresses: old }));
      lab.reload(r2, pair.spec({ priority: 100, addresses: old }));
      await eventually("the address is gone", async () => !(await lab.hosts.holds("r1", extra)), 2_000);
      expect(await lab.hosts.whoAnswers("h1", extra)).toEqual([]);
      await ping.expectLossAtMost(0);
      for (const router of [r1, r2]) {
        if (!(router instanceof Viprd)) continue;
        expect((await router.transitions()).filter((change) => Date.parse(change.at) > added)).toEqual([]);
      }
    },
  );
}

for (const pair of pairs({ viprd: "r1", families: [4] })) {
  scenario(`a new primary address is used from the next advert on: ${pair.name}`, { topology: T2 }, async (lab) => {
    const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
    await sleep(1_200);
    const changed = Date.now();
    await lab.namespaces.ip("r1", ["addr add 192.0.2.21/24 dev e0", "addr del 192.0.2.11/24 dev e0"]);
    await sleep(2_500);
    const later = lab.capture.adverts({ node: "r1", from: changed + 150 });
    expect(later.length).toBeGreaterThanOrEqual(2);
    for (const advert of later)
      expect(advert).toMatchObject({
        source: "192.0.2.21",
        checksum: lab.capture.adverts({ node: "r1" })[0]?.checksum,
      });
    expect(await lab.hosts.holds("r1", "192.0.2.1")).toBe(true);
    lab.interrupted("r1");
    await lab.namespaces.ip("r1", ["addr flush dev e0 scope global"]);
    const emptied = Date.now();
    const gone = await r1.waitState("web", "initialize", 2_000);
    expectBetween("initialize after the last address left", gone - emptied, -500, 100);
    const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
    expectBetween("takeover", first.at - emptied, -500, downTime(pair.version, 100, 1000) + tolerance(1000));
    await lab.namespaces.ip("r1", ["addr add 192.0.2.11/24 dev e0"]);
    const since = await r1.entered("web", "backup", 3_000, emptied);
    const back = await lab.capture.waitForAdvert({ node: "r1", from: since }, 10_000);
    expectTime("active again", back.at - since, downTime(pair.version, 200, 1000) - 1, tolerance(1000) + 2);
  });

  scenario(`an interface deleted and made again is taken up again: ${pair.name}`, { topology: T2 }, async (lab) => {
    const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
    await sleep(1_200);
    await lab.faults.unplug("r1");
    const deleted = Date.now();
    const gone = await r1.waitState("web", "initialize", 2_000);
    expectBetween("initialize after the interface left", gone - deleted, -500, 200);
    const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
    expectTakeover(lab.capture.lastAdvert({ node: "r1", holding: true }), first, downTime(pair.version, 100, 1000));
    await sleep(soak(10_000, 1_000));
    await lab.faults.plug("r1", { name: "e0", bridge: "lan", id: 21, addresses: ["192.0.2.11/24"] });
    const since = await r1.entered("web", "backup", 3_000, deleted);
    const back = await lab.capture.waitForAdvert({ node: "r1", from: since }, 10_000);
    expectTime("active again", back.at - since, downTime(pair.version, 200, 1000) - 1, tolerance(1000) + 2);
    await sleep(1_200);
    expectBetween("last advert of r2", lab.capture.lastAdvert({ node: "r2" }).at - back.at, -2_000, tolerance(1000));
  });
}

for (const pair of pairs({ viprd: "both", versions: [3] })) {
  scenario(`an interface renamed while it works: no advert is missed: ${pair.name}`, { topology: T2 }, async (lab) => {
    const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
    await sleep(1_200);
    const renamed = Date.now();
    await lab.namespaces.ip("r1", ["link set e0 name lan0"]);
    await sleep(4_500);
    expect(lab.capture.adverts({ node: "r1", from: renamed }).length).toBeGreaterThanOrEqual(4);
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
    expect((await r1.waitState("web", "active", 1_000)) < renamed).toBe(true);
    await lab.namespaces.ip("r1", ["link set lan0 name e0"]);
    await sleep(1_200);
  });
}

if (usesViprd()) {
  const many4 = Array.from({ length: 255 }, (_, i) => `10.9.${Math.floor(i / 200)}.${(i % 200) + 1}/16`);
  const many6 = ["fe80::51/64", ...Array.from({ length: 89 }, (_, i) => `2001:db8:9::${(i + 1).toString(16)}/64`)];
  for (const [addresses, length] of [
    [many4, 1048],
    [many6, 1488],
  ] as const) {
    scenario(
      `${addresses.length} addresses travel in one frame of ${length} bytes and are all announced within 2 s`,
      { topology: T2 },
      async (lab) => {
        const r1 = await lab.router("r1", "viprd", { priority: 200, addresses });
        const first = await lab.capture.waitForAdvert({ node: "r1" }, 20_000);
        expect(first.length).toBe(length);
        expect(first.addresses).toEqual(addresses.map((address) => address.replace(/\/.*/, "")));
        await sleep(2_000 - (Date.now() - first.at));
        const held = await lab.hosts.addresses("r1");
        for (const address of addresses) expect(held).toContain(address);
        const announced = new Set(
          lab.capture.frames
            .filter((frame) => frame.at <= first.at + 2_000)
            .map((frame) =>
              frame.kind === "arp" ? frame.senderAddress : frame.kind === "advertisement6" ? frame.target : "",
            ),
        );
        expect(addresses.filter((address) => !announced.has(address.replace(/\/.*/, "")))).toEqual([]);
        const stopped = lab.term(r1);
        const zero = await lab.capture.waitForAdvert({ node: "r1", priority: 0 }, 3_000);
        expect(zero.addresses).toHaveLength(addresses.length);
        await stopped;
      },
    );
  }

  scenario("one address more than a frame holds is refused with a reason", { topology: T1 }, async (lab) => {
    const r1 = await lab.router("r1", "viprd", { priority: 200, addresses: [...many6, "2001:db8:9::ffff/64"] });
    const refused = Promise.race([r1.child.exited.then(({ code }) => code), sleep(6_000)]);
    const code = await refused;
    if (code === undefined && r1 instanceof Viprd) {
      const status = await r1.instance();
      expect(status.state).toBe("initialize");
      expect(status.reasons.join(" ")).toMatch(/mtu|1500|fit/i);
    } else expect(code).toBe(2);
    expect(lab.capture.adverts()).toEqual([]);
  });
}

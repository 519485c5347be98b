// Split brain, deaf routers, partial meshes, reflected frames, and how they heal.
import { expect } from "vitest";
import { type Lab, scenario } from "../support/lab.ts";
import { downTime, expectBetween, expectStart, expectTakeover, skewTime, tolerance } from "../support/lab-checks.ts";
import { type Pair, pairs } from "../support/lab-pairs.ts";
import { eventually, sleep } from "../support/lab-process.ts";
import { subject, usesViprd } from "../support/lab-routers.ts";
import { T2, T3 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

interface Heal {
  readonly from: number;
  readonly healed: number;
}

/** Splits r1 and r2 until both are active, heals right after an advert of `healAfter`. */
async function splitAndHeal(lab: Lab, pair: Pair, address: string, healAfter: "r1" | "r2"): Promise<Heal> {
  await eventually("the address answers", () => lab.hosts.reaches("h1", address), 3_000);
  // The second burst of announcements after taking over, at 5 s, must not decide what is measured here.
  await sleep(5_500);
  const lastHeard = lab.capture.lastAdvert({ node: "r1" });
  const heal = await lab.faults.partition("r1", "r2");
  const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
  // An advert may have passed while the fault was being made.
  const down = downTime(pair.version, 100, 1000);
  expectBetween("takeover", first.at - lastHeard.at, down - 1, down + 1000 + 60);
  await sleep(1_500);
  await lab.capture.waitForAdvert({ node: healAfter, from: Date.now() }, 3_000);
  // Somewhere between the two moments the cut was healed.
  const from = Date.now();
  await heal();
  return { from, healed: Date.now() };
}

async function hostsReturn(lab: Lab, address: string, { from, healed }: Heal): Promise<void> {
  const announced = await lab.capture.waitForAnnouncement(address, { node: "r1", from }, 3_000);
  expectBetween("announcement of r1 after the heal", announced.at - healed, from - healed, 1_100);
  const macOfR1 = await lab.hosts.mac("r1");
  await eventually("h1 sends to r1", async () => (await lab.hosts.neighbor("h1", address)) === macOfR1, 1_000, 10);
}

for (const pair of pairs()) {
  const address = pair.family === 4 ? pair.vip : "2001:db8::51";
  for (const preempt of [true, false]) {
    // Preempt is not looked at in active state (RFC 9568 section 6.4.3): both variants heal alike.
    const name = preempt ? "split brain heals within an interval" : "split brain heals without preempt";
    scenario(`${name}, hosts included: ${pair.name}`, { topology: T2, dual: true }, async (lab) => {
      const { r1 } = await pair.settled(lab, { priority: 200, preempt }, { priority: 100, preempt });
      const heal = await splitAndHeal(lab, pair, address, "r1");
      await hostsReturn(lab, address, heal);
      await sleep(2_000);
      const last = lab.capture.lastAdvert({ node: "r2" });
      expectBetween("last advert of r2 after the heal", last.at - heal.healed, -1100, 1050);
      if (r1 instanceof Viprd) {
        expect((await r1.transitions()).filter((change) => change.from === "active")).toEqual([]);
        // Over when three intervals have passed without the other one.
        const told = await eventually(
          "the end of it",
          async () => (await r1.instance()).split_brains.find(({ outcome }) => outcome === "kept"),
          4_000,
        );
        const other = pair.family === 4 ? "192.0.2.12" : lab.capture.lastAdvert({ node: "r2" }).source;
        expect(told).toMatchObject({ own: { priority: 200 }, rivals: [{ address: other, priority: 100 }] });
      }
    });
  }
}

// The hard half: the better router speaks first and never hears the lesser one. keepalived does not repair it.
for (const pair of pairs({ viprd: "r2" })) {
  const address = pair.family === 4 ? pair.vip : "2001:db8::51";
  scenario(
    `hosts return to the better router that heard nothing: ${pair.name}`,
    { topology: T2, dual: true },
    async (lab) => {
      await pair.settled(lab, { priority: 200 }, { priority: 100 });
      const heal = await splitAndHeal(lab, pair, address, "r2");
      await hostsReturn(lab, address, heal);
      expect(lab.capture.announcements(address).at(-1)?.node).toBe("r1");
    },
  );
}

for (const pair of pairs({ versions: [3] })) {
  scenario(
    `a deaf backup is answered, but not without end: ${pair.name}`,
    { topology: T2, dual: true },
    async (lab) => {
      const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      await sleep(1_200);
      const heal = await lab.faults.drop("r1", "r2");
      const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      await sleep(5_000);
      if (r1 instanceof Viprd) {
        const adverts = lab.capture.adverts({ node: "r1", from: first.at, to: first.at + 5_000 });
        expectBetween("adverts of r1 in 5 s", adverts.length, 5, 11);
        const warnings = r1.log.filter(
          (line) =>
            line.at >= first.at && /lower|lesser|priority 100/i.test(line.text) && /warn|40/.test(String(line.level)),
        );
        expectBetween("warnings", warnings.length, 1, 6);
      }
      expect(lab.capture.adverts({ node: "r2", from: first.at }).length).toBeGreaterThanOrEqual(5);
      await heal();
      const healed = Date.now();
      await sleep(2_500);
      expectBetween(
        "last advert of r2 after the heal",
        lab.capture.lastAdvert({ node: "r2" }).at - healed,
        -1100,
        1050,
      );
    },
  );
}

for (const pair of pairs({ versions: [3], families: [4] })) {
  scenario(`a deaf active harms nobody, also when it returns: ${pair.name}`, { topology: T2 }, async (lab) => {
    const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
    await lab.faults.drop("r2", "r1");
    await sleep(4_500);
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
    const stopped = lab.term(r1);
    const zero = await lab.capture.waitForAdvert({ node: "r1", priority: 0 }, 5_000);
    expectTakeover(zero, await lab.capture.waitForAdvert({ node: "r2" }, 5_000), skewTime(3, 100, 1000));
    await stopped;
    const again = await pair.start(lab, "r1", { priority: 200 });
    await again.waitState("web", "backup", 10_000);
    const back = await lab.capture.waitForAdvert({ node: "r1", from: again.child.startedAt }, 10_000);
    await sleep(2_500);
    expectBetween("last advert of r2", lab.capture.lastAdvert({ node: "r2" }).at - back.at, -2000, tolerance(1000));
  });

  scenario(
    `a deaf newcomer of low priority stays alone in its belief: ${pair.name}`,
    { topology: T3, dual: true },
    async (lab) => {
      const { r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      await lab.faults.drop("r1", "r3");
      await lab.faults.drop("r2", "r3");
      const r3 = await pair.start(lab, "r3", { priority: 50 });
      const first = await lab.capture.waitForAdvert({ node: "r3" }, 15_000);
      await expectStart(r3, first, downTime(3, 50, 1000));
      await sleep(4_500);
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
      if (r2 instanceof Viprd) expect((await r2.instance()).state).toBe("backup");
    },
  );

  scenario(
    `a partial mesh has two actives and heals within an interval: ${pair.name}`,
    { topology: T3, dual: true },
    async (lab) => {
      await pair.settled(lab, { priority: 200 }, { priority: 100 });
      const r3 = await pair.start(lab, "r3", { priority: 50 });
      await r3.waitState("web", "backup", 15_000);
      const heal = await lab.faults.partition("r1", "r3");
      await lab.capture.waitForAdvert({ node: "r3" }, 10_000);
      await sleep(3_000);
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
      await heal();
      const healed = Date.now();
      await sleep(2_500);
      expectBetween(
        "last advert of r3 after the heal",
        lab.capture.lastAdvert({ node: "r3" }).at - healed,
        -1100,
        1050,
      );
    },
  );
}

if (usesViprd()) {
  scenario("reflected frames neither move an active nor make it talk more", { topology: T2 }, async (lab) => {
    const r1 = await lab.router("r1", subject, { priority: 200 });
    await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
    await lab.faults.reflect("r1");
    const from = Date.now();
    await sleep(5_000);
    expectBetween("adverts in 5 s", lab.capture.adverts({ node: "r1", from, to: from + 5_000 }).length, 4, 6);
    const status = r1 instanceof Viprd ? await r1.instance() : undefined;
    expect(status?.state).toBe("active");
    // The kernel drops what claims one of its own addresses as source, unless accept_local is set.
    expectBetween("own packets counted", status?.counters.own_packets ?? 0, 0, 7);
  });
}

// what takes over, and when, after the active router failed (RFC 9568 sections 6.1 and 6.4).
import { expect } from "vitest";
import { repeats, scenario } from "../support/lab.ts";
import { downTime, expectBetween, expectTakeover, expectTime, skewTime, tolerance } from "../support/lab-checks.ts";
import { pairs } from "../support/lab-pairs.ts";
import { eventually, sleep } from "../support/lab-process.ts";
import { T2, T3 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

for (const pair of pairs({ mixedIpv6: true })) {
  for (let round = 1; round <= repeats; round++) {
    scenario(
      `a backup takes over D after the last advert of a dead node: ${pair.name} #${round}`,
      { topology: T2 },
      async (lab) => {
        await pair.settled(lab, { priority: 200 }, { priority: 100 });
        const ping = lab.hosts.ping("h1", pair.family === 4 ? pair.vip : "2001:db8::51");
        await sleep(1500);
        const killedAt = await lab.killNode("r1");
        const last = lab.capture.lastAdvert({ node: "r1" });
        const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
        const down = downTime(pair.version, 100, 1000);
        expectTakeover(last, first, down);
        // The advert that could not leave any more may belong to either side of the kill.
        expectBetween("time since the kill", first.at - killedAt, down - 1000 - 20, down + tolerance(1000) + 20);
        await sleep(1000);
        await ping.expectLossAtMost(38);
      },
    );

    scenario(
      `a graceful stop hands over within the skew time: ${pair.name} #${round}`,
      { topology: T2 },
      async (lab) => {
        const { r1, r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
        await sleep(300);
        const termAt = Date.now();
        const stopped = lab.term(r1);
        const zero = await lab.capture.waitForAdvert({ node: "r1", priority: 0 }, 5_000);
        const first = await lab.capture.waitForAdvert({ node: "r2" }, 5_000);
        if (pair.r1 === "viprd") expectBetween("priority 0 after SIGTERM", zero.at - termAt, -1, 50);
        expectTakeover(zero, first, skewTime(pair.version, 100, 1000));
        await stopped;
        expect(await lab.hosts.holds("r1", pair.vip)).toBe(false);
        expect(lab.capture.adverts({ node: "r1", priority: 0 }).length).toBeLessThanOrEqual(
          pair.r1 === "viprd" ? 1 : 2,
        );
        if (r2 instanceof Viprd) {
          const { counters } = await r2.instance();
          expect(counters.priority_zero_received).toBe(lab.capture.adverts({ node: "r1", priority: 0 }).length);
          expect(counters.became_active).toBe(1);
        }
      },
    );
  }
}

for (const pair of pairs({ versions: [3], families: [4] })) {
  scenario(`only the best of two backups speaks after a graceful stop: ${pair.name}`, { topology: T3 }, async (lab) => {
    const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 150 });
    const r3 = await pair.start(lab, "r3", { priority: 100 });
    await r3.waitState("web", "backup", 15_000);
    const stopped = lab.term(r1);
    const zero = await lab.capture.waitForAdvert({ node: "r1", priority: 0 }, 5_000);
    const first = await lab.capture.waitForAdvert({ node: "r2" }, 5_000);
    expectTakeover(zero, first, skewTime(3, 150, 1000));
    await sleep(1200);
    expect(lab.capture.adverts({ node: "r3" })).toEqual([]);
    await stopped;
  });

  scenario(`the next best takes over after each death: ${pair.name}`, { topology: T3 }, async (lab) => {
    await pair.settled(lab, { priority: 200 }, { priority: 150 });
    const r3 = await pair.start(lab, "r3", { priority: 100 });
    await r3.waitState("web", "backup", 15_000);
    await sleep(500);
    await lab.killNode("r1");
    const second = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
    expectTakeover(lab.capture.lastAdvert({ node: "r1" }), second, downTime(3, 150, 1000));
    await sleep(1500);
    await lab.killNode("r2");
    const third = await lab.capture.waitForAdvert({ node: "r3" }, 10_000);
    expectTakeover(lab.capture.lastAdvert({ node: "r2" }), third, downTime(3, 100, 1000));
  });

  scenario(
    `the lowest of three takes over when the others die together: ${pair.name}`,
    { topology: T3 },
    async (lab) => {
      await pair.settled(lab, { priority: 200 }, { priority: 100 });
      const r3 = await pair.start(lab, "r3", { priority: 50 });
      await r3.waitState("web", "backup", 15_000);
      await sleep(1300);
      await Promise.all([lab.killNode("r1"), lab.killNode("r2")]);
      const third = await lab.capture.waitForAdvert({ node: "r3" }, 10_000);
      expectTime(
        "takeover",
        third.at - lab.capture.lastAdvert({ node: "r1" }).at,
        downTime(3, 50, 1000),
        tolerance(1000),
      );
    },
  );
}

for (const pair of pairs({ viprd: "r1" })) {
  scenario(`addresses of a killed agent leave by themselves: ${pair.name}`, { topology: T2 }, async (lab) => {
    const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
    await sleep(1_200);
    const killedAt = await lab.kill9(r1);
    const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
    expectTakeover(lab.capture.lastAdvert({ node: "r1" }), first, downTime(pair.version, 100, 1000));
    await eventually("the address is gone", async () => !(await lab.hosts.holds("r1", pair.vip)), 8_000);
    expectBetween("address gone after the kill", Date.now() - killedAt, 0, 5_300);
    expect(await lab.hosts.whoAnswers("h1", pair.family === 4 ? pair.vip : "2001:db8::51")).toEqual(["r2"]);
  });
}

for (const pair of pairs({ viprd: "r1", versions: [3] })) {
  scenario(
    `a restarted agent removes what the killed one left before it listens: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      await lab.kill9(r1);
      expect(await lab.hosts.holds("r1", pair.vip)).toBe(true);
      const again = await pair.start(lab, "r1", { priority: 200 });
      await again.waitState("web", "backup", 4_000);
      expect(await lab.hosts.holds("r1", pair.vip)).toBe(false);
      await lab.capture.waitForAdvert({ node: "r1", from: again.child.startedAt }, 10_000);
    },
  );
}

for (const pair of pairs({ viprd: "r1", versions: [3] })) {
  scenario(
    `a killed VRRP process is replaced, a killed supervisor takes its process along: ${pair.name}`,
    { topology: T2, dual: true, gaps: [] },
    async (lab) => {
      const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      await sleep(500);
      if (!(r1 instanceof Viprd)) return;
      const [supervisor, worker] = r1.child.tree();
      if (supervisor === undefined || worker === undefined) throw new Error("no VRRP process");
      process.kill(worker, "SIGKILL");
      const killedAt = Date.now();
      await r1.waitState("web", "active", 8_000);
      await lab.capture.waitForAdvert({ node: "r1", from: killedAt + 100 }, 6_000);
      await sleep(1_500);
      expect(await lab.hosts.holds("r2", pair.vip)).toBe(false);
      process.kill(supervisor, "SIGKILL");
      await lab.capture.waitForAdvert({ node: "r2", from: Date.now() }, 8_000);
      await eventually("r1 holds nothing", async () => !(await lab.hosts.holds("r1", pair.vip)), 6_000);
      expect(await lab.hosts.whoAnswers("h1", pair.family === 4 ? pair.vip : "2001:db8::51")).toEqual(["r2"]);
    },
  );
}

// who may take the role from a living router, and when (RFC 9568 sections 6.1 and 6.4.2).
import { expect } from "vitest";
import { scenario, soak } from "../support/lab.ts";
import { downTime, expectBetween, expectTakeover, tolerance } from "../support/lab-checks.ts";
import { pairs } from "../support/lab-pairs.ts";
import { sleep } from "../support/lab-process.ts";
import { T2, T3 } from "../support/lab-topologies.ts";

for (const pair of pairs({ families: [4, 6] })) {
  const d200 = downTime(pair.version, 200, 1000);

  scenario(
    `without preempt a returning router waits for the death of the other: ${pair.name}`,
    { topology: T2, timeout: 180_000 },
    async (lab) => {
      await pair.start(lab, "r2", { priority: 100, preempt: false });
      await lab.capture.waitForAdvert({ node: "r2" }, 15_000);
      const r1 = await pair.start(lab, "r1", { priority: 200, preempt: false });
      await r1.waitState("web", "backup", 15_000);
      await sleep(soak(60_000, 5_000));
      expect(lab.capture.adverts({ node: "r1" })).toEqual([]);
      await lab.killNode("r2");
      const first = await lab.capture.waitForAdvert({ node: "r1" }, 10_000);
      expectTakeover(lab.capture.lastAdvert({ node: "r2" }), first, d200);
    },
  );
}

for (const pair of pairs({ families: [4], viprd: "r1" })) {
  const d200 = downTime(pair.version, 200, 1000);
  const hold = 10_000;

  scenario(`a hold time delays preemption: ${pair.name}`, { topology: T2 }, async (lab) => {
    await pair.start(lab, "r2", { priority: 100 });
    await lab.capture.waitForAdvert({ node: "r2" }, 15_000);
    const r1 = await pair.start(lab, "r1", { priority: 200, preemptDelay: hold });
    const since = await r1.entered("web", "backup", 15_000);
    const heard = await lab.capture.waitForAdvert({ node: "r2", from: since }, 5_000);
    const first = await lab.capture.waitForAdvert({ node: "r1" }, 20_000);
    expectBetween(
      "preemption after the first lesser advert",
      first.at - heard.at,
      hold - 5,
      hold + d200 + tolerance(1000),
    );
  });

  scenario(
    `a hold time does not delay the takeover from a dead router: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      await pair.start(lab, "r2", { priority: 100 });
      await lab.capture.waitForAdvert({ node: "r2" }, 15_000);
      const r1 = await pair.start(lab, "r1", { priority: 200, preemptDelay: hold });
      const since = await r1.entered("web", "backup", 15_000);
      await lab.capture.waitForAdvert({ node: "r2", from: since }, 5_000);
      await sleep(3_500);
      await lab.killNode("r2");
      const first = await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
      expectTakeover(lab.capture.lastAdvert({ node: "r2" }), first, d200);
    },
  );

  scenario(`a better router cancels the hold time: ${pair.name}`, { topology: T3 }, async (lab) => {
    await pair.start(lab, "r2", { priority: 100 });
    await lab.capture.waitForAdvert({ node: "r2" }, 15_000);
    const r1 = await pair.start(lab, "r1", { priority: 200, preemptDelay: hold });
    await r1.waitState("web", "backup", 15_000);
    await pair.start(lab, "r3", { priority: 220 });
    await lab.capture.waitForAdvert({ node: "r3" }, 15_000);
    await sleep(hold + d200 + 500 - 4_000);
    expect(lab.capture.adverts({ node: "r1" })).toEqual([]);
  });
}

for (const pair of pairs({ families: [4, 6], viprd: "r1" })) {
  scenario(
    `a priority lowered and raised again at run time moves the role and back: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      const ping = lab.hosts.ping("h1", pair.family === 4 ? pair.vip : "2001:db8::51");
      await sleep(700);
      lab.reload(r1, pair.spec({ priority: 90 }));
      const lowered = await lab.capture.waitForAdvert({ node: "r1", priority: 90 }, 5_000);
      const accepted = lab.capture.lastAdvert({ node: "r1", priority: 200 });
      expectBetween("next advert after the change", lowered.at - accepted.at, 0, 1_050);
      const second = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      expectTakeover(accepted, second, downTime(pair.version, 100, 1000));
      await sleep(1_500);
      expectBetween("last advert of r1", lab.capture.lastAdvert({ node: "r1" }).at - second.at, -2000, tolerance(1000));
      const raised = Date.now();
      lab.reload(r1, pair.spec({ priority: 200 }));
      const back = await lab.capture.waitForAdvert({ node: "r1", priority: 200, from: raised }, 10_000);
      // Raising recomputes D from the last accepted advert; the reload itself takes a moment.
      const reference = lab.capture
        .adverts({ node: "r2", to: raised + 500 })
        .filter((advert) => advert.at <= back.at - 3000);
      expectBetween(
        "preemption after the last accepted advert",
        back.at - (reference.at(-1)?.at ?? 0),
        downTime(pair.version, 200, 1000) - 2,
        4_400,
      );
      await sleep(1_500);
      await ping.expectLossAtMost(4);
    },
  );
}

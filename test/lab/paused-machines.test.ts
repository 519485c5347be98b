// machines that are paused with their network: nothing was heard, nothing is queued, and the other one acted.
import { expect } from "vitest";
import { type Lab, scenario, soak } from "../support/lab.ts";
import { pairs } from "../support/lab-pairs.ts";
import { sleep } from "../support/lab-process.ts";
import { T2 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

/** Stops the daemon and its port of the switch. The result lets both go on and tells when. */
async function paused(lab: Lab, router: Viprd): Promise<() => Promise<number>> {
  const unblock = await lab.faults.block(router.node);
  lab.interrupted(router.node);
  router.freeze("SIGSTOP");
  return async () => {
    await unblock();
    lab.interrupted(router.node);
    router.freeze("SIGCONT");
    return Date.now();
  };
}

for (const pair of pairs({ viprd: "r1", versions: [3], families: [4] })) {
  scenario(
    `an active that was paused listens, hears its successor and stays away without preempt: ${pair.name}`,
    { topology: T2, dual: true },
    async (lab) => {
      const { r1 } = await pair.settled(lab, { priority: 200, preempt: false }, { priority: 100, preempt: false });
      if (!(r1 instanceof Viprd)) return;
      await sleep(1_200);
      const goOn = await paused(lab, r1);
      await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      await sleep(1_000);
      const resumed = await goOn();
      await r1.entered("web", "backup", 2_000, resumed - 5);
      expect(await lab.hosts.holds("r1", pair.vip)).toBe(false);
      await sleep(3_000);
      expect(lab.capture.adverts({ node: "r1", from: resumed - 5 })).toEqual([]);
      const [last] = (await r1.transitions()).slice(-1);
      expect(last?.reason).toMatch(/^this process was not run and sent nothing for [4-9]\.\d+ s: listening/);
      expect(
        r1.log.some(({ at, message }) => at >= resumed - 10 && /^the VRRP process was not run for/.test(message)),
      ).toBe(true);
    },
  );
}

for (const pair of pairs({ viprd: "r2", versions: [3], families: [4, 6] })) {
  scenario(`a backup that was paused does not believe the silence: ${pair.name}`, { topology: T2 }, async (lab) => {
    const { r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
    if (!(r2 instanceof Viprd)) return;
    await sleep(500);
    const goOn = await paused(lab, r2);
    await sleep(soak(10_000, 5_500));
    await goOn();
    await sleep(3_000);
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
    expect((await r2.transitions()).map(({ to }) => to)).toEqual(["backup"]);
  });
}

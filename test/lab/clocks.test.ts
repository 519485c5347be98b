// the wall clock of each router is set while they run: time stamps move, and nothing else.
import { openSync, writeFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { type Lab, scenario } from "../support/lab.ts";
import { expectBetween } from "../support/lab-checks.ts";
import { must, sleep } from "../support/lab-process.ts";
import { usesViprd, viprdConfig } from "../support/lab-routers.ts";
import { T2 } from "../support/lab-topologies.ts";
import type { Viprd } from "../support/lab-viprd.ts";

/** A router that takes the time of day from a file, and the function that sets it by a difference in seconds. */
async function clocked(lab: Lab, node: string, priority: number): Promise<{ router: Viprd; set(by: number): void }> {
  const [clock, etc, library] = ["clock", "etc", "wall-clock.so"].map((name) => `${lab.directory}/${node}-${name}`);
  const source = fileURLToPath(new URL("../support/wall-clock.c", import.meta.url));
  await must("cc", ["-shared", "-fPIC", "-O2", "-o", String(library), source]);
  writeFileSync(String(clock), new Uint8Array(8));
  const file = openSync(String(clock), "r+");
  const set = (by: number): void => {
    writeSync(file, new Uint8Array(BigInt64Array.of(BigInt(by)).buffer), 0, 8, 0);
  };
  // Preloaded by a file of its own mount namespace: viprd hands no LD_PRELOAD on to its processes.
  const script = [
    `cp -a /etc ${etc}`,
    `echo ${library} > ${etc}/ld.so.preload`,
    `mount --bind ${etc} /etc`,
    `WALL_CLOCK=${clock} exec "$@"`,
  ].join(" && ");
  const through = ["unshare", "--mount", "sh", "-c", script, "sh"];
  const router = await lab.viprd(node, viprdConfig({ web: { priority } }), through);
  return { router, set };
}

if (usesViprd()) {
  scenario(
    "steps of the wall clock by hours and seconds move no role and no advertisement",
    { topology: T2 },
    async (lab) => {
      const one = await clocked(lab, "r1", 200);
      const two = await clocked(lab, "r2", 100);
      await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
      await sleep(1_200);
      const from = Date.now();
      const before = await two.router.instance();
      for (const step of [3600, -3600, 0]) {
        for (const { set } of [one, two]) {
          set(step);
          await sleep(1_300);
        }
      }
      for (let second = 1; second <= 10; second++) {
        one.set(second);
        two.set(-second);
        await sleep(250);
      }
      await sleep(1_000);
      const times = lab.capture.adverts({ node: "r1", from }).map(({ at }) => at);
      for (const [i, at] of times.entries())
        if (i > 0) expectBetween("advert gap", at - (times[i - 1] ?? 0), 950, 1_050);
      expect(times.length).toBeGreaterThanOrEqual(10);
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
      const after = await two.router.instance();
      expect(after.transitions).toEqual(before.transitions);
      expect(after.counters.late_timers).toBe(before.counters.late_timers);
      // The clock that people read is the one that was set.
      one.set(86_400);
      await sleep(100);
      const [ahead] = (await one.router.instance()).transitions.slice(-1);
      await lab.kill9(one.router);
      expect(Date.parse(ahead?.at ?? "")).toBeLessThan(Date.now());
      two.set(86_400);
      await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      const [taken] = (await two.router.instance()).transitions.slice(-1);
      expectBetween(
        "the takeover's time stamp, a day ahead",
        Date.parse(taken?.at ?? "") - Date.now(),
        86_390_000,
        86_400_000,
      );
      expect(taken?.reason).toMatch(/^no advertisement from 192\.0\.2\.11 for 3\.6/);
    },
  );
}

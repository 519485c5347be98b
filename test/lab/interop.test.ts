// Interoperation with keepalived beyond what the pairs of the other files cover: checksum forms, bursts, text passwords.
import { expect } from "vitest";
import { scenario } from "../support/lab.ts";
import { downTime, expectBetween, expectTakeover, tolerance } from "../support/lab-checks.ts";
import { eventually, sleep } from "../support/lab-process.ts";
import { usesViprd } from "../support/lab-routers.ts";
import { T2 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

if (usesViprd()) {
  scenario(
    "with default settings viprd and keepalived agree on a checksum, in both roles",
    { topology: T2 },
    async (lab) => {
      const r1 = await lab.router("r1", "viprd", { priority: 200 });
      await r1.entered("web", "backup", 15_000);
      const r2 = await lab.router("r2", "keepalived", { priority: 100 });
      await r2.entered("web", "backup", 15_000);
      await lab.capture.waitForAdvert({ node: "r1" }, 10_000);
      await sleep(4_500);
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
      await lab.term(r1);
      await lab.capture.waitForAdvert({ node: "r2" }, 5_000);
      const again = await lab.router("r1", "viprd", { priority: 200 });
      await again.entered("web", "backup", 15_000);
      const back = await lab.capture.waitForAdvert({ node: "r1", from: again.child.startedAt }, 10_000);
      await sleep(2_000);
      expectBetween(
        "last advert of keepalived",
        lab.capture.lastAdvert({ node: "r2" }).at - back.at,
        -2_000,
        tolerance(1000),
      );
    },
  );

  scenario(
    "a receiver of one checksum form refuses the other and counts it",
    { topology: T2, dual: true },
    async (lab) => {
      await lab.router("r1", "keepalived", { priority: 200 });
      const r2 = await lab.router("r2", "viprd", {
        priority: 100,
        checksum: "message",
        viprd: { v3_checksum_receive: "message" },
      });
      await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
      await lab.capture.waitForAdvert({ node: "r2" }, 15_000);
      await sleep(2_500);
      // keepalived falls silent when what it refuses comes more often than it sends: one may be all that there is.
      if (r2 instanceof Viprd) expect(await r2.rejected("checksum")).toBeGreaterThanOrEqual(1);
    },
  );

  scenario("a receiver of either form accepts both and counts the other one", { topology: T2 }, async (lab) => {
    await lab.router("r1", "keepalived", { priority: 200 });
    await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
    const r2 = await lab.router("r2", "viprd", { priority: 100, checksum: "message" });
    await r2.entered("web", "backup", 15_000);
    await sleep(4_500);
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
    if (r2 instanceof Viprd) expect((await r2.instance()).counters.other_checksum_form).toBeGreaterThanOrEqual(3);
  });

  scenario(
    "keepalived's burst of announcements 5 s after its takeover disturbs nothing",
    { topology: T2 },
    async (lab) => {
      const k2 = await lab.router("r2", "keepalived", { priority: 100 });
      await lab.capture.waitForAdvert({ node: "r2" }, 15_000);
      const r1 = await lab.router("r1", "viprd", { priority: 200 });
      await r1.entered("web", "backup", 15_000);
      const back = await lab.capture.waitForAdvert({ node: "r1" }, 10_000);
      await sleep(6_500);
      // The burst falls due after it has yielded; whatever comes of it, hosts must stay with r1.
      await eventually("the address answers", () => lab.hosts.reaches("h1", "192.0.2.1"), 2_000);
      expect(await lab.hosts.neighbor("h1", "192.0.2.1")).toBe(await lab.hosts.mac("r1"));
      expect(lab.capture.adverts({ node: "r2", from: back.at + 100 })).toEqual([]);
      expect(k2.child.ended).toBe(false);
    },
  );

  scenario("version 2 with a text password, both ways", { topology: T2 }, async (lab) => {
    const key = { version: 2, password: "sesame12" } as const;
    const r1 = await lab.router("r1", "viprd", { priority: 200, ...key });
    await r1.entered("web", "backup", 15_000);
    const r2 = await lab.router("r2", "keepalived", { priority: 100, ...key });
    await r2.entered("web", "backup", 15_000);
    await lab.capture.waitForAdvert({ node: "r1" }, 10_000);
    await sleep(4_500);
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
    await lab.killNode("r1");
    const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
    expectTakeover(lab.capture.lastAdvert({ node: "r1" }), first, downTime(2, 100, 1000));
  });
}

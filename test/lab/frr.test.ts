// viprd beside FRR's vrrpd: version 3, both families, both roles. FRR sends and insists on the pseudo-header checksum over
// IPv4, never answers a lesser router, and cuts its skew time off to whole centiseconds.
import { expect, test } from "vitest";
import { type Lab, scenario } from "../support/lab.ts";
import { downTime, expectTakeover, expectTime, skewTime, tolerance } from "../support/lab-checks.ts";
import { Frr, type FrrSpec, frrObstacle } from "../support/lab-frr.ts";
import { eventually } from "../support/lab-process.ts";
import { linkLocalVip6, vip4, vip6 } from "../support/lab-routers.ts";
import { T2 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

const centisecond = 10;

async function withFrr(lab: Lab, node: string, spec: FrrSpec): Promise<Frr> {
  return Frr.start(lab.namespaces, node, lab.directory, spec);
}

/** Its addresses stay on the macvlan: they are the administrator's, and FRR keeps the device down while it is backup. */
const lists = {
  4: [`${vip4}/24`],
  6: [`${linkLocalVip6}/64`, `${vip6}/64`],
} as const;

const cases = frrObstacle === undefined ? ([4, 6] as const) : [];
if (frrObstacle !== undefined) {
  const required = process.env.CI === "true" || process.env.REQUIRE_LAB === "1";
  const refuse = (): void => {
    throw new Error(`the lab is required here, but ${frrObstacle}`);
  };
  (required ? test : test.skip)(`beside FRR (${frrObstacle})`, refuse);
}

for (const family of cases) {
  scenario(`FRR active, viprd takes over: IPv${family}`, { topology: T2, timeout: 60_000 }, async (lab) => {
    const frr = await withFrr(lab, "r1", { priority: 200, addresses: lists[family] });
    // Over IPv6 its very first advertisement does not leave the macvlan that comes up at that moment: the next one is awaited.
    await lab.capture.waitForAdvert({ node: "r1" }, 20_000);
    const r2 = await lab.router("r2", "viprd", { priority: 100, addresses: lists[family] });
    await r2.entered("web", "backup", 15_000);
    await lab.capture.waitForAdvert({ node: "r1", from: Date.now() }, 5_000);
    await eventually(
      "the active router in the status",
      async () => {
        const { active_router } = await r2Status(r2, lab);
        return active_router?.priority === 200 && !active_router.self;
      },
      5_000,
    );
    const stopped = Date.now();
    await frr.term();
    const first = await lab.capture.waitForAdvert({ node: "r2", from: stopped }, 10_000);
    const last = lab.capture.lastAdvert({ node: "r1" });
    const expected = last.priority === 0 ? skewTime(3, 100, 1000) : downTime(3, 100, 1000);
    expectTakeover(last, first, expected, tolerance(1000));
    const instance = await r2Status(r2, lab);
    expect(instance.state).toBe("active");
    expect(instance.counters.rejected).toEqual({});
  });

  scenario(
    `viprd active, FRR takes over and gives back: IPv${family}`,
    { topology: T2, timeout: 60_000 },
    async (lab) => {
      const r1 = await lab.router("r1", "viprd", { priority: 200, addresses: lists[family] });
      await r1.entered("web", "backup", 15_000);
      const frr = await withFrr(lab, "r2", { priority: 100, addresses: lists[family] });
      await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
      await frr.waitState(family, "Backup", 20_000);
      await lab.term(r1);
      // Over IPv6 its first advertisement does not leave the macvlan that comes up at that moment; its announcement does.
      await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      const last = lab.capture.lastAdvert({ node: "r1" });
      expect(last.priority).toBe(0);
      const skew = Math.floor(skewTime(3, 100, 1000) / centisecond) * centisecond;
      const told = lab.capture.announcements(lists[family][0].split("/")[0] ?? "", { from: last.at, node: "r2" })[0];
      expectTime("announcement of FRR", (told?.at ?? 0) - last.at, skew, tolerance(1000));
      lab.interrupted("r1");
      const back = await lab.router("r1", "viprd", { priority: 200, addresses: lists[family] });
      await back.waitState("web", "active", 15_000);
      await frr.waitState(family, "Backup", 5_000);
    },
  );
}

async function r2Status(router: unknown, lab: Lab) {
  expect(router).toBeInstanceOf(Viprd);
  const status = await (router as Viprd).instance();
  expect(status, lab.describe()).toBeDefined();
  return status;
}

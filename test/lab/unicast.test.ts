// unicast on one LAN and across routers (no RFC; keepalived's practice).
import { expect } from "vitest";
import { scenario, soak } from "../support/lab.ts";
import { downTime, expectStart, expectTakeover, skewTime } from "../support/lab-checks.ts";
import { forge } from "../support/lab-forge.ts";
import { pairs } from "../support/lab-pairs.ts";
import { sleep } from "../support/lab-process.ts";
import { usesViprd } from "../support/lab-routers.ts";
import { T2, TU } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

const unicast = (self: number, other: number) => ({ source: `192.0.2.${self}`, peers: [`192.0.2.${other}`] });

for (const pair of pairs({ families: [4] })) {
  scenario(
    `a unicast pair keeps the same times and speaks to nobody else: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const r1 = await pair.start(lab, "r1", { priority: 200, ...unicast(11, 12) });
      await r1.entered("web", "backup", 15_000);
      const r2 = await pair.start(lab, "r2", { priority: 100, ...unicast(12, 11) });
      await r2.entered("web", "backup", 15_000);
      const first = await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
      await expectStart(r1, first, downTime(pair.version, 200, 1000));
      const checksum = pair.version === 3 && first.checksum === "pseudo_header" ? "pseudo_header" : "message";
      const injector = await lab.injector("h1");
      const lie = { source: "192.0.2.100", priority: 255, version: pair.version, checksum } as const;
      const frames = await Promise.all(
        ["r1", "r2"].map(async (node, i) =>
          forge({ ...lie, destination: `192.0.2.${11 + i}`, destinationMac: await lab.hosts.mac(node) }),
        ),
      );
      // keepalived checks the sender of unicast adverts only when told to.
      const liars = [forge(lie), ...frames.filter((_, i) => (i === 0 ? pair.r1 : pair.r2) === "viprd")];
      await injector.send(...liars);
      await sleep(2_000);
      for (const router of [r1, r2]) {
        if (router instanceof Viprd)
          expect((await router.rejected("source")) + (await router.rejected("destination"))).toBeGreaterThanOrEqual(1);
      }
      for (const advert of lab.capture.adverts())
        if (advert.node !== "h1") expect(advert.destination).toMatch(/^192\.0\.2\.1[12]$/);
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
      const stopped = lab.term(r1);
      const zero = await lab.capture.waitForAdvert({ node: "r1", priority: 0 }, 5_000);
      expectTakeover(zero, await lab.capture.waitForAdvert({ node: "r2" }, 5_000), skewTime(pair.version, 100, 1000));
      await stopped;
    },
  );

  scenario(`a unicast backup takes over from a dead node in D: ${pair.name}`, { topology: T2 }, async (lab) => {
    await pair.settled(lab, { priority: 200, ...unicast(11, 12) }, { priority: 100, ...unicast(12, 11) });
    await sleep(1_300);
    await lab.killNode("r1");
    const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
    expectTakeover(lab.capture.lastAdvert({ node: "r1" }), first, downTime(pair.version, 100, 1000));
  });
}

if (usesViprd()) {
  const routed = (priority: number, self: string, peer: string, minTtl: number) => ({
    priority,
    source: self,
    viprd: { unicast_peer: [{ address: peer, min_ttl: minTtl }], virtual_ipaddress: ["203.0.113.1/32"] },
  });

  for (const version of [3, 2] as const) {
    scenario(
      `routed unicast works across the hops that min_ttl allows, version ${version}`,
      { topology: TU },
      async (lab) => {
        const r1 = await lab.router("r1", "viprd", { version, ...routed(200, "192.0.2.11", "198.51.100.12", 254) });
        await r1.entered("web", "backup", 15_000);
        const r2 = await lab.router("r2", "viprd", { version, ...routed(100, "198.51.100.12", "192.0.2.11", 254) });
        await r2.entered("web", "backup", 15_000);
        await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
        await sleep(soak(600_000, 8_000));
        expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
        // What r2 hears is what x sends on: one hop less.
        expect(lab.capture.lastAdvert({ node: "x" })).toMatchObject({ ttl: 254, source: "192.0.2.11" });
        await lab.killNode("r1");
        const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
        expectTakeover(lab.capture.lastAdvert({ node: "r1" }), first, downTime(version, 100, 1000));
      },
    );
  }

  scenario("one hop too many is dropped and counted", { topology: TU, dual: true }, async (lab) => {
    await lab.router("r1", "viprd", routed(200, "192.0.2.11", "198.51.100.12", 254));
    const r2 = await lab.router("r2", "viprd", routed(100, "198.51.100.12", "192.0.2.11", 255));
    await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
    await lab.capture.waitForAdvert({ node: "r2" }, 15_000);
    await sleep(2_000);
    if (r2 instanceof Viprd) expect(await r2.rejected("ttl")).toBeGreaterThanOrEqual(2);
  });
}

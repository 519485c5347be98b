// floods of broken or lesser packets, and packets that arrive twice.
import { expect } from "vitest";
import { scenario, soak } from "../support/lab.ts";
import { expectBetween } from "../support/lab-checks.ts";
import { forge, malformed } from "../support/lab-forge.ts";
import { pairs } from "../support/lab-pairs.ts";
import { sleep } from "../support/lab-process.ts";
import { usesViprd } from "../support/lab-routers.ts";
import { T2 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

for (const pair of pairs({ viprd: "both", versions: [3], families: [4] })) {
  scenario(
    "a flood of every kind of broken packet is counted exactly and moves nothing",
    { topology: T2, timeout: 180_000 },
    async (lab) => {
      const { r1, r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      const kinds = malformed("192.0.2.100");
      const names = Object.keys(kinds);
      const injector = await lab.injector("h1");
      await injector.repeat(Object.values(kinds), 100 * names.length, 1);
      await sleep(300);
      const routers = [r1, r2].filter((router) => router instanceof Viprd);
      const memory = routers.map((router) => router.usage().residentKib);
      const rounds = soak(6_000, 900);
      const before = Date.now();
      const linesBefore = routers.map((router) => router.child.lines.length);
      await injector.repeat(Object.values(kinds), rounds * names.length, 1);
      await sleep(700);
      for (const [i, router] of routers.entries()) {
        for (const name of names)
          expect(await router.rejected(name), `${router.child.name}: ${name}`).toBe(rounds + 100);
        expectBetween("growth in MiB", (router.usage().residentKib - (memory[i] ?? 0)) / 1024, -100, 10);
        const seconds = (Date.now() - before) / 1000;
        expectBetween("log lines", router.child.lines.length - (linesBefore[i] ?? 0), 0, names.length * (seconds + 2));
        expect((await router.transitions()).filter((change) => Date.parse(change.at) > before)).toEqual([]);
      }
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
    },
  );

  scenario("a flood of lesser adverts is answered at most ten times a second", { topology: T2 }, async (lab) => {
    await pair.settled(lab, { priority: 200 }, { priority: 100 });
    const injector = await lab.injector("h1");
    const from = Date.now();
    await injector.repeat([forge({ source: "192.0.2.100", priority: 50 })], 1000, 5);
    const seconds = (Date.now() - from) / 1000;
    expectBetween("adverts of r1", lab.capture.adverts({ node: "r1", from }).length, seconds - 1, 11 * (seconds + 1));
    await sleep(1_500);
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
  });
}

if (usesViprd()) {
  scenario(
    "one bad packet each 0.4 s: keepalived falls silent, viprd does not notice",
    { topology: T2, dual: true, gaps: [] },
    async (lab) => {
      const other = { vrid: 52, addresses: ["192.0.2.2/24"] };
      await lab.router("r1", "viprd", { priority: 200 });
      await lab.router("r1", "keepalived", { priority: 200, ...other });
      await lab.capture.waitForAdvert({ node: "r1", vrid: 51 }, 15_000);
      await lab.capture.waitForAdvert({ node: "r1", vrid: 52 }, 15_000);
      const r2 = await lab.router("r2", "viprd", { priority: 100 });
      const k2 = await lab.router("r2", "keepalived", { priority: 100, ...other });
      await Promise.all([r2.entered("web", "backup", 15_000), k2.entered("web", "backup", 15_000)]);
      const injector = await lab.injector("h1");
      const from = Date.now();
      const bad = [51, 52].map((vrid) => forge({ source: "192.0.2.100", priority: 254, vrid, checksum: "wrong" }));
      await injector.repeat(bad, 60, 200);
      const to = Date.now();
      expect(lab.capture.adverts({ node: "r2", vrid: 52, from, to }).length, "keepalived: takeovers").toBeGreaterThan(
        0,
      );
      expect(lab.capture.adverts({ node: "r2", vrid: 51 }), "viprd: takeovers").toEqual([]);
      expectBetween("viprd: adverts", lab.capture.adverts({ node: "r1", vrid: 51, from, to }).length, 11, 13);
    },
  );
}

for (const pair of pairs({ viprd: "r2", families: [4] })) {
  scenario(`adverts that arrive twice count twice and change nothing: ${pair.name}`, { topology: T2 }, async (lab) => {
    const { r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
    await lab.faults.duplicate("r1", "r2");
    const before = r2 instanceof Viprd ? (await r2.instance()).counters.adverts_received : 0;
    const from = Date.now();
    await sleep(5_000);
    const adverts = lab.capture.adverts({ node: "r1", from }).length;
    if (r2 instanceof Viprd) {
      expectBetween(
        "received",
        (await r2.instance()).counters.adverts_received - before,
        2 * adverts - 2,
        2 * adverts + 2,
      );
    }
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
  });
}

// Section 6 of the scenarios: forged, replayed and broken packets (RFC 9568 sections 7.1 and 9, RFC 3768 section 7.1).
import { expect } from "vitest";
import { type Lab, scenario, soak } from "../support/lab.ts";
import { downTime, expectBetween, expectTime, tolerance } from "../support/lab-checks.ts";
import { type Forged, forge, malformed } from "../support/lab-forge.ts";
import { type Pair, pairs } from "../support/lab-pairs.ts";
import { sleep } from "../support/lab-process.ts";
import { usesViprd, viprdConfig } from "../support/lab-routers.ts";
import { T2, T2x2 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

/** An advertisement that h1 sends and that both routers of the pair understand. */
function lie(pair: Pair, fields: Omit<Forged, "source"> & { source?: string }): Uint8Array {
  const source = pair.family === 4 ? "192.0.2.100" : "fe80::ff:fe00:164";
  const mixed = pair.r1 === "keepalived" || pair.r2 === "keepalived";
  const checksum = mixed && pair.version === 3 ? "pseudo_header" : "message";
  return forge({ source, version: pair.version, checksum, ...fields });
}

async function sent(lab: Lab, ...frames: Uint8Array[]): Promise<number> {
  const injector = await lab.injector("h1");
  const from = Date.now() - 1;
  await injector.send(...frames);
  return (
    await lab.capture.waitFor(
      "the injected frame",
      (frame): frame is typeof frame =>
        frame.node === "h1" && frame.at >= from && (frame.kind === "advert" || frame.kind === "malformed"),
      2_000,
    )
  ).at;
}

for (const pair of pairs()) {
  scenario(`S-44 a forged owner silences the LAN for D and no longer: ${pair.name}`, { topology: T2 }, async (lab) => {
    await pair.settled(lab, { priority: 200 }, { priority: 100 });
    await lab.injector("h1");
    await sleep(1_300);
    lab.interrupted("r1");
    const at = await sent(lab, lie(pair, { priority: 255 }));
    const back = await lab.capture.waitForAdvert({ node: "r1", from: at + 100 }, 10_000);
    expectTime("return of r1", back.at - at, downTime(pair.version, 200, 1000), tolerance(1000));
    await sleep(1_500);
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
  });

  scenario(`S-44 a forged lesser advert changes nothing: ${pair.name}`, { topology: T2 }, async (lab) => {
    const { r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
    await lab.injector("h1");
    await lab.capture.waitForAdvert({ node: "r1", from: Date.now() }, 3_000);
    await sleep(300);
    const at = await sent(lab, lie(pair, { priority: 150 }));
    await sleep(4_500);
    if (pair.version === 3 && pair.r1 === "viprd") {
      const answer = lab.capture.adverts({ node: "r1", from: at })[0];
      expectBetween("answer of r1", (answer?.at ?? 0) - at, 0, tolerance(1000));
    }
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
    if (r2 instanceof Viprd) expect((await r2.instance()).counters.became_active).toBe(0);
  });

  scenario(`S-45 a forged priority 0 is answered at once: ${pair.name}`, { topology: T2 }, async (lab) => {
    await pair.settled(lab, { priority: 200 }, { priority: 100 });
    await lab.injector("h1");
    await lab.capture.waitForAdvert({ node: "r1", from: Date.now() }, 3_000);
    const at = await sent(lab, lie(pair, { priority: 0 }));
    await sleep(3_000);
    const answer = lab.capture.adverts({ node: "r1", from: at })[0];
    expectBetween("answer of r1", (answer?.at ?? 0) - at, 0, tolerance(1000));
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
  });
}

for (const pair of pairs({ viprd: "both" })) {
  scenario(`S-46 wrong TTLs are counted one by one and change nothing: ${pair.name}`, { topology: T2 }, async (lab) => {
    const { r1, r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
    const before = Date.now();
    const frames = [254, 64, 1].map((ttl) => lie(pair, { priority: 255, ttl }));
    const injector = await lab.injector("h1");
    await injector.repeat(frames, 60, 50);
    await sleep(500);
    for (const router of [r1, r2]) {
      if (!(router instanceof Viprd)) continue;
      expect(await router.rejected("ttl")).toBe(60);
      const lines = router.log.filter((line) => line.at >= before && /ttl|hop limit/i.test(line.text));
      expect(lines.length, "log lines in 3.5 s").toBeLessThanOrEqual(5);
      expect((await router.transitions()).filter((change) => Date.parse(change.at) > before)).toEqual([]);
    }
  });

  scenario(`S-47 interval 0 is discarded: ${pair.name}`, { topology: T2 }, async (lab) => {
    const { r1, r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
    const fields = pair.version === 3 ? [0, 0xf000] : [0];
    await sent(lab, ...fields.map((intervalField) => lie(pair, { priority: 254, intervalField })));
    await sleep(2_500);
    for (const router of [r1, r2]) {
      if (router instanceof Viprd) expect(await router.rejected("interval_zero")).toBe(fields.length);
    }
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
  });
}

for (const pair of pairs({ viprd: "both", versions: [3] })) {
  scenario(
    `S-48 a forged interval of 40.95 s is believed, as the RFC asks: ${pair.name}`,
    { topology: T2, timeout: 240_000 },
    async (lab) => {
      const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      await sleep(1_200);
      lab.interrupted("r1");
      const at = await sent(lab, lie(pair, { priority: 254, interval: 40_950 }));
      await sleep(500);
      if (r1 instanceof Viprd)
        expect((await r1.instance()).routers[0]?.active_down_interval_ms).toBeCloseTo(131_807.8, -2);
      await sleep(soak(120_000, 5_000));
      expect(lab.capture.adverts({ from: at + 50 }).filter((advert) => advert.node !== "h1")).toEqual([]);
    },
  );

  scenario(`S-48 max_learned_interval bounds the harm: ${pair.name}`, { topology: T2 }, async (lab) => {
    const capped = { viprd: { max_learned_interval: "3s" } };
    await pair.settled(lab, { priority: 200, ...capped }, { priority: 100, ...capped });
    await lab.injector("h1");
    await sleep(1_200);
    lab.interrupted("r1");
    const at = await sent(lab, lie(pair, { priority: 254, interval: 40_950 }));
    const back = await lab.capture.waitForAdvert({ node: "r1", from: at + 100 }, 15_000);
    expectTime("return of r1", back.at - at, downTime(3, 200, 3000), tolerance(1000));
  });
}

for (const pair of pairs({ viprd: "both", versions: [3], families: [4] })) {
  scenario(
    "S-49 a flood of every kind of broken packet is counted exactly and moves nothing",
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

  scenario("S-50 a flood of lesser adverts is answered at most ten times a second", { topology: T2 }, async (lab) => {
    await pair.settled(lab, { priority: 200 }, { priority: 100 });
    const injector = await lab.injector("h1");
    const from = Date.now();
    await injector.repeat([lie(pair, { priority: 50 })], 1000, 5);
    const seconds = (Date.now() - from) / 1000;
    expectBetween("adverts of r1", lab.capture.adverts({ node: "r1", from }).length, seconds - 1, 11 * (seconds + 1));
    await sleep(1_500);
    expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
  });
}

if (usesViprd()) {
  scenario(
    "S-49 one bad packet each 0.4 s: keepalived falls silent, viprd does not notice",
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

  scenario(
    "S-54 a foreign VRID and the right VRID on the wrong interface are counted where they came in",
    { topology: T2x2 },
    async (lab) => {
      const specs = {
        inside: { priority: 200 },
        outside: { priority: 200, vrid: 52, interface: "e1", addresses: ["198.51.100.1/24"] },
      };
      const r2 = await lab.viprd("r2", viprdConfig(specs));
      await lab.capture.waitForAdvert({ node: "r2", vrid: 51 }, 15_000);
      await lab.capture.waitForAdvert({ node: "r2", vrid: 52 }, 15_000);
      const inside = await lab.injector("h1");
      const outside = await lab.injector("h2");
      await inside.send(forge({ source: "192.0.2.100", priority: 255, vrid: 99 }));
      await outside.send(forge({ source: "198.51.100.100", priority: 255, vrid: 51, addresses: ["198.51.100.1"] }));
      await sleep(1_500);
      const { interfaces } = await r2.status();
      for (const name of ["e0", "e1"]) {
        const found = interfaces.find((entry) => entry.interface === name && entry.family === "ipv4");
        expect(found?.rejected.vrid_unknown, name).toBe(1);
      }
      for (const name of ["inside", "outside"]) expect((await r2.instance(name)).state).toBe("active");
    },
  );
}

for (const pair of pairs({ viprd: "r2", families: [4] })) {
  scenario(
    `S-51 adverts that arrive twice count twice and change nothing: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
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
    },
  );
}

for (const pair of pairs({ versions: [2] })) {
  const key = { password: "sesame" };
  scenario(
    `S-53 a text password that changes on one side makes two actives until it is equal again: ${pair.name}`,
    { topology: T2, dual: true },
    async (lab) => {
      const { r1, r2 } = await pair.settled(lab, { priority: 200, ...key }, { priority: 100, ...key });
      await sleep(2_000);
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
      lab.interrupted("r1");
      lab.reload(r1, pair.spec({ priority: 200, password: "other" }));
      await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      await sleep(2_000);
      if (r2 instanceof Viprd) expectBetween("wrong passwords", await r2.rejected("auth_data"), 2, 12);
      lab.reload(r2, pair.spec({ priority: 100, password: "other" }));
      const equal = Date.now();
      await sleep(4_000);
      expectBetween("last advert of r2", lab.capture.lastAdvert({ node: "r2" }).at - equal, -1_100, 1_050 + 600);
    },
  );

  scenario(
    `S-53 a password on one side only is a type mismatch: ${pair.name}`,
    { topology: T2, dual: true },
    async (lab) => {
      const r1 = await pair.start(lab, "r1", { priority: 200, ...key });
      const r2 = await pair.start(lab, "r2", { priority: 100 });
      await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
      await lab.capture.waitForAdvert({ node: "r2" }, 15_000);
      await sleep(2_500);
      for (const router of [r1, r2]) {
        if (router instanceof Viprd) expect(await router.rejected("auth_type")).toBeGreaterThanOrEqual(1);
      }
    },
  );
}

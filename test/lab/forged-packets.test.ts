// forged, replayed and broken packets (RFC 9568 sections 7.1 and 9, RFC 3768 section 7.1).
import { expect } from "vitest";
import { type Lab, scenario, soak } from "../support/lab.ts";
import { downTime, expectBetween, expectTime, tolerance } from "../support/lab-checks.ts";
import { type Forged, forge } from "../support/lab-forge.ts";
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
  scenario(`a forged owner silences the LAN for D and no longer: ${pair.name}`, { topology: T2 }, async (lab) => {
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

  scenario(`a forged lesser advert changes nothing: ${pair.name}`, { topology: T2 }, async (lab) => {
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

  scenario(`a forged priority 0 is answered at once: ${pair.name}`, { topology: T2 }, async (lab) => {
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
  scenario(`wrong TTLs are counted one by one and change nothing: ${pair.name}`, { topology: T2 }, async (lab) => {
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

  scenario(`interval 0 is discarded: ${pair.name}`, { topology: T2 }, async (lab) => {
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
    `a forged interval of 40.95 s is believed, as the RFC asks: ${pair.name}`,
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

  scenario(`max_learned_interval bounds the harm: ${pair.name}`, { topology: T2 }, async (lab) => {
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

if (usesViprd()) {
  scenario(
    "a foreign VRID and the right VRID on the wrong interface are counted where they came in",
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

for (const pair of pairs({ viprd: "r2", families: [4], versions: [3] })) {
  scenario(
    `replayed adverts keep a backup waiting, and the status names their source: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const { r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      await sleep(500);
      const checksum = lab.capture.lastAdvert({ node: "r1" }).checksum === "message" ? "message" : "pseudo_header";
      const copy = forge({ source: "192.0.2.11", priority: 200, checksum, mac: await lab.hosts.mac("r1") });
      const injector = await lab.injector("h1");
      await lab.killNode("r1");
      const rounds = soak(60, 8);
      await injector.repeat([copy], rounds, 1_000);
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
      if (r2 instanceof Viprd) {
        const seen = (await r2.instance()).active_router;
        expect(seen).toMatchObject({ address: "192.0.2.11", priority: 200, self: false });
        expectBetween("age of what was heard last", seen?.last_heard_ms ?? -1, 0, 1_500);
      }
      const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      expectTime(
        "takeover after the last copy",
        first.at - lab.capture.lastAdvert({ node: "h1" }).at,
        downTime(3, 100, 1000),
        tolerance(1000),
      );
    },
  );
}

for (const pair of pairs({ versions: [2] })) {
  const key = { password: "sesame" };
  scenario(
    `a text password that changes on one side makes two actives until it is equal again: ${pair.name}`,
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
    `a password on one side only is a type mismatch: ${pair.name}`,
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

// stalls, reloads, many virtual routers, counters, shutdown.
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type Lab, scenario, soak } from "../support/lab.ts";
import { downTime, expectBetween, expectTakeover, expectTime, skewTime, tolerance } from "../support/lab-checks.ts";
import { forge } from "../support/lab-forge.ts";
import { type Pair, pairs } from "../support/lab-pairs.ts";
import { sleep } from "../support/lab-process.ts";
import { type RouterSpecs, usesViprd } from "../support/lab-routers.ts";
import { T2 } from "../support/lab-topologies.ts";
import { Viprd } from "../support/lab-viprd.ts";

async function stalledActive(lab: Lab, pair: Pair, one: number, two: number): Promise<{ resumed: number }> {
  const { r1 } = await pair.settled(
    lab,
    { priority: one, preempt: one >= two },
    { priority: two, preempt: one >= two },
  );
  await sleep(1_200);
  if (!(r1 instanceof Viprd)) throw new Error("r1 has to be viprd");
  lab.interrupted("r1");
  r1.freeze("SIGSTOP");
  const last = lab.capture.lastAdvert({ node: "r1" });
  const first = await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
  expectTakeover(last, first, downTime(pair.version, two, 1000));
  await sleep(1_700);
  r1.freeze("SIGCONT");
  return { resumed: Date.now() };
}

for (const pair of pairs({ viprd: "r1", families: [4] })) {
  scenario(
    `a stalled active of higher priority retakes the role after its stall: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const { resumed } = await stalledActive(lab, pair, 200, 100);
      await sleep(5_500);
      const speakers = new Set(lab.capture.adverts({ from: resumed + 4_300 }).map((advert) => advert.node));
      expect([...speakers]).toEqual(["r1"]);
      const [r1] = lab.routers;
      if (r1 instanceof Viprd)
        expect(
          r1.log.some((line) => line.at >= resumed - 10 && /stall|not run|late|asleep/i.test(line.text)),
          "the stall is logged",
        ).toBe(true);
    },
  );

  scenario(
    `a stalled active that a better router replaced lets go without a word: ${pair.name}`,
    { topology: T2, dual: true },
    async (lab) => {
      // Without preempt the better one becomes active by the stall only.
      const r1 = await pair.start(lab, "r1", { priority: 100, preempt: false });
      await lab.capture.waitForAdvert({ node: "r1" }, 15_000);
      const r2 = await pair.start(lab, "r2", { priority: 150, preempt: false });
      await r2.entered("web", "backup", 15_000);
      await sleep(1_200);
      if (!(r1 instanceof Viprd)) return;
      lab.interrupted("r1");
      r1.freeze("SIGSTOP");
      await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      await sleep(1_500);
      r1.freeze("SIGCONT");
      const resumed = Date.now();
      await sleep(3_000);
      expect(lab.capture.adverts({ node: "r1", from: resumed - 5 })).toEqual([]);
      expect(await lab.hosts.holds("r1", pair.vip)).toBe(false);
    },
  );
}

for (const pair of pairs({ viprd: "r2", families: [4, 6] })) {
  scenario(
    `a stalled backup reads its queue before it believes its timer: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const { r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      await sleep(500);
      if (!(r2 instanceof Viprd)) return;
      r2.freeze("SIGSTOP");
      await sleep(soak(10_000, 5_500));
      const resumed = Date.now();
      r2.freeze("SIGCONT");
      await sleep(2_000);
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
      expect((await r2.transitions()).filter((change) => Date.parse(change.at) >= resumed)).toEqual([]);
    },
  );
}

for (const pair of pairs({ viprd: "r1", families: [4, 6] })) {
  const address = pair.family === 4 ? pair.vip : "2001:db8::51";
  scenario(
    `a reload without change, and with an unrelated one, is not noticed on the LAN: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      const ping = lab.hosts.ping("h1", address);
      await sleep(1_000);
      const from = Date.now();
      lab.reload(r1, pair.spec({ priority: 200 }));
      await sleep(1_500);
      lab.reload(r1, {
        web: pair.spec({ priority: 200 }),
        other: pair.spec({ priority: 50, vrid: 77, addresses: pair.family === 4 ? ["192.0.2.7/24"] : ["fe80::77/64"] }),
      });
      await sleep(2_500);
      await ping.expectLossAtMost(0);
      if (r1 instanceof Viprd) {
        expect((await r1.transitions("web")).filter((change) => Date.parse(change.at) >= from)).toEqual([]);
        expect((await r1.instance("other")).name).toBe("other");
      }
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
    },
  );
}

for (const pair of pairs({ viprd: "both", versions: [3], families: [4, 6] })) {
  scenario(
    `an interval halved by reload is carried by the next advert: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const { r1, r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      await sleep(700);
      lab.reload(r1, pair.spec({ priority: 200, interval: 500, realtime: false }));
      const faster = await lab.capture.waitFor(
        "advert of 500 ms",
        (frame): frame is typeof frame => frame.kind === "advert" && frame.intervalMs === 500,
        3_000,
      );
      expectBetween(
        "gap before the change",
        faster.at - lab.capture.lastAdvert({ node: "r1", to: faster.at - 1 }).at,
        0,
        1_050,
      );
      lab.reload(r2, pair.spec({ priority: 100, interval: 500, realtime: false }));
      await sleep(2_500);
      expect(lab.capture.adverts({ node: "r2" })).toEqual([]);
      if (r2 instanceof Viprd)
        expect((await r2.instance()).routers[0]?.active_down_interval_ms).toBeCloseTo(downTime(3, 100, 500), 0);
    },
  );

  scenario(
    `both are told to stop within a millisecond: two farewells at most, nothing left: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const { r1, r2 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      await sleep(500);
      const at = Date.now();
      const stopping = [lab.term(r1), lab.term(r2)];
      await Promise.all(stopping);
      expectBetween("time to stop", Date.now() - at, 0, 1_000);
      await sleep(300);
      expect(lab.capture.adverts({ priority: 0 }).length).toBeLessThanOrEqual(2);
      for (const node of ["r1", "r2"]) {
        expect(await lab.hosts.holds(node, pair.vip)).toBe(false);
        expect(await lab.leftOvers(node)).toEqual([]);
      }
    },
  );
}

if (usesViprd()) {
  scenario(
    "a hundred virtual routers: steady, cheap, and all taken over together",
    { topology: T2, timeout: 150_000, gaps: [] },
    async (lab) => {
      const hundred = (priority: number): RouterSpecs =>
        Object.fromEntries(
          Array.from({ length: 100 }, (_, i) => [
            `v${i + 1}`,
            { priority, vrid: i + 1, addresses: [`10.1.0.${i + 1}/24`] },
          ]),
        );
      const r1 = await lab.router("r1", "viprd", hundred(200));
      await r1.entered("v100", "backup", 20_000);
      const r2 = await lab.router("r2", "viprd", hundred(100));
      await r2.entered("v100", "backup", 20_000);
      await r1.waitState("v100", "active", 10_000);
      await sleep(3_000);
      if (!(r1 instanceof Viprd)) return;
      const used = r1.usage().cpuMs;
      const from = Date.now();
      await sleep(6_000);
      expectBetween("CPU in percent of a core", ((r1.usage().cpuMs - used) / (Date.now() - from)) * 100, 0, 20);
      const jitter: number[] = [];
      for (let vrid = 1; vrid <= 100; vrid++) {
        const own = lab.capture.adverts({ node: "r1", vrid, from });
        for (const [i, advert] of own.entries())
          if (i > 0) jitter.push(Math.abs(advert.at - (own[i - 1]?.at ?? 0) - 1000));
      }
      jitter.sort((a, b) => a - b);
      expectBetween("adverts in 6 s", jitter.length, 400, 600);
      expectBetween("jitter p99", jitter[Math.floor(jitter.length * 0.99)] ?? 0, 0, tolerance(1000));
      await lab.killNode("r1");
      await lab.capture.waitForAdvert({ node: "r2" }, 10_000);
      await sleep(1_500);
      for (let vrid = 1; vrid <= 100; vrid++) {
        const last = lab.capture.lastAdvert({ node: "r1", vrid });
        const first = lab.capture.adverts({ node: "r2", vrid })[0];
        expectBetween(`takeover of VRID ${vrid}`, (first?.at ?? 0) - last.at, 3_608, 3_759);
      }
      await sleep(500);
      expect((await lab.hosts.addresses("r2")).filter((entry) => entry.startsWith("10.1.0."))).toHaveLength(100);
    },
  );

  scenario("counters and reasons agree with the capture", { topology: T2 }, async (lab) => {
    const r1 = await lab.router("r1", "viprd", { priority: 200 });
    await r1.entered("web", "backup", 15_000);
    const r2 = await lab.router("r2", "viprd", { priority: 100 });
    await r2.entered("web", "backup", 15_000);
    await r1.waitState("web", "active", 10_000);
    await sleep(2_000);
    const injector = await lab.injector("h1");
    await injector.send(forge({ source: "192.0.2.100", priority: 255, ttl: 64 }));
    await sleep(300);
    if (!(r1 instanceof Viprd) || !(r2 instanceof Viprd)) return;
    const first = (await r1.instance()).counters;
    expect(first).toMatchObject({ became_active: 1, released_active: 0, priority_zero_sent: 0, rejected: { ttl: 1 } });
    expectBetween("adverts sent", first.adverts_sent - lab.capture.adverts({ node: "r1" }).length, -1, 0);
    await lab.term(r1);
    await r2.waitState("web", "active", 5_000);
    const again = await lab.viprd("r1", readFileSync(`${lab.directory}/r1.yaml`, "utf8"));
    await again.waitState("web", "active", 15_000);
    await sleep(1_200);
    const { counters, transitions } = await r2.instance();
    expect(counters).toMatchObject({
      became_active: 1,
      released_active: 1,
      priority_zero_sent: 0,
      priority_zero_received: 1,
      rejected: { ttl: 1 },
    });
    expect(counters.adverts_sent).toBe(lab.capture.adverts({ node: "r2" }).length);
    expectBetween(
      "adverts received",
      counters.adverts_received - lab.capture.adverts({ node: "r1", from: r2.child.startedAt }).length,
      -4,
      1,
    );
    expect(transitions.map(({ from, to }) => `${from} ${to}`)).toEqual([
      "initialize backup",
      "backup active",
      "active backup",
    ]);
    for (const { reason } of transitions) expect(reason).not.toBe("");
    expect(transitions[1]?.reason).toMatch(/gave up|priority 0|resign|stopp|let go/i);
    expect(transitions[2]?.reason).toMatch(/200/);
  });
}

for (const pair of pairs({ versions: [3], families: [4], viprd: "r1" })) {
  scenario(
    `an active router that is taken out of service gives up its role, and takes it again when it is put back: ${pair.name}`,
    { topology: T2 },
    async (lab) => {
      const { r1 } = await pair.settled(lab, { priority: 200 }, { priority: 100 });
      if (!(r1 instanceof Viprd)) throw new Error("r1 is to be viprd");
      lab.interrupted("r1");
      const answer = await r1.cli("maintenance", "on", "--reason", "new kernel");
      expect(answer).toBe("web: out of service\n");
      const first = await lab.capture.waitForAdvert({ node: "r2", holding: true }, 10_000);
      const farewell = lab.capture.lastAdvert({ node: "r1" });
      expect(farewell.priority).toBe(0);
      expectTakeover(farewell, first, skewTime(3, 100, 1000));
      expect(await r1.instance()).toMatchObject({
        state: "initialize",
        reasons: ["out of service: new kernel"],
        addresses: [{ present: false }],
      });
      const before = Date.now();
      expect(await r1.cli("maintenance", "off", "web")).toBe("web: back in service\n");
      const since = await r1.entered("web", "backup", 5_000, before - 5);
      const back = await lab.capture.waitForAdvert({ node: "r1", from: before }, 10_000);
      expectTime("return", back.at - since, downTime(3, 200, 1000) - 1, tolerance(1000) + 1);
    },
  );
}

import { describe, expect, test } from "vitest";
import { encodeAdvertisement } from "../../src/vrrp/advertisement.ts";
import { forge, forged2, forged4, forgePayload } from "../support/simulated-forger.ts";
import { Lab } from "../support/simulated-lab.ts";

describe("version 3 learns the interval of the active router", () => {
  test("fast active, slow backup: the takeover is fast, the rhythm afterwards slow", () => {
    const lab = new Lab();
    const [fast, slow] = [lab.node("fast", 11, { priority: 200, advertisementInterval: 100 }), lab.node("slow", 12)];
    lab.start();
    lab.run(10_000);
    expect(slow.status.routers[0]).toMatchObject({ active_advert_int_ms: 100, active_down_interval_ms: 360.9375 });
    fast.crash();
    lab.run(10_000);
    expect(lab.takeover(fast, slow)).toBeCloseTo(360.9375, 0);
    const times = lab.adverts({ node: "slow" }).map(({ at }) => at);
    expect((times[5] ?? 0) - (times[4] ?? 0)).toBeCloseTo(1000, 6);
  });

  test("slow active, fast backup: at most one moment of two active routers, then the slow rhythm is known", () => {
    const lab = new Lab();
    const [slow, fast] = [lab.node("slow", 11, { priority: 200, advertisementInterval: 4000 }), lab.node("fast", 12)];
    slow.start();
    lab.run(24_000);
    const last = lab.adverts({ node: "slow" }).at(-1)?.at ?? 0;
    lab.time.runUntil(last + 4050);
    fast.start();
    lab.run(60_000);
    expect(fast.transitions.map(({ to }) => to)).toEqual(["backup", "active", "backup"]);
    expect((fast.transitions[2]?.at ?? 0) - (fast.transitions[1]?.at ?? 0)).toBeLessThan(1);
    expect(fast.status.routers[0]).toMatchObject({ active_advert_int_ms: 4000, active_down_interval_ms: 14_437.5 });
    slow.crash();
    lab.run(20_000);
    expect(lab.takeover(slow, fast)).toBeCloseTo(14_437.5, 0);
  });

  test("one forged advertisement with the longest interval silences nobody for longer than the cap allows", () => {
    const lab = new Lab();
    const best = lab.node("best", 11, { priority: 200, maxLearnedInterval: 3000 });
    lab.node("other", 12, { maxLearnedInterval: 3000 });
    lab.start();
    lab.run(10_400);
    forge(lab, { ...forged4, priority: 254, interval: 40_950 });
    const forged = lab.now;
    lab.run(1);
    expect(lab.actives).toEqual([]);
    lab.run(20_000);
    expect((best.transitions.at(-1)?.at ?? 0) - forged).toBeCloseTo(9656.25, 0);
    expect(lab.actives).toEqual(["best"]);
  });
});

test("version 2 with different intervals: each refuses the other; set right, they agree within an interval", () => {
  const lab = new Lab();
  const [a, b] = [
    lab.node("a", 11, { version: 2, priority: 200 }),
    lab.node("b", 12, { version: 2, advertisementInterval: 2000 }),
  ];
  lab.start();
  lab.run(20_000);
  expect(lab.actives).toEqual(["a", "b"]);
  const before = b.status.counters.rejected.interval_mismatch ?? 0;
  lab.run(10_000);
  expect((b.status.counters.rejected.interval_mismatch ?? 0) - before).toBe(10);
  expect(b.status.counters.interval_errors).toBe(b.status.counters.rejected.interval_mismatch);
  b.reload({ advertisementInterval: 1000 });
  lab.run(1050);
  expect(lab.actives).toEqual(["a"]);
  expect(a.transitions.map(({ to }) => to)).toEqual(["backup", "active"]);
});

test("an interval changed by reload, one node after the other: nothing moves", () => {
  const lab = new Lab();
  const [a, b] = [lab.node("a", 11, { priority: 200 }), lab.node("b", 12)];
  lab.start();
  lab.run(10_400);
  a.reload({ advertisementInterval: 500 });
  lab.run(3000);
  expect(lab.adverts({ node: "a" }).at(-1)).toMatchObject({ interval: 500 });
  b.reload({ advertisementInterval: 500 });
  lab.run(20_000);
  expect([a.transitions.length, b.transitions.length]).toEqual([2, 1]);
});

test("versions 2 and 3 side by side: both active, both in their own rhythm, and told", () => {
  const lab = new Lab();
  const [two, three] = [lab.node("two", 11, { version: 2, priority: 200 }), lab.node("three", 12)];
  lab.start();
  lab.run(30_000);
  expect(lab.actives).toEqual(["two", "three"]);
  for (const node of ["two", "three"]) {
    const times = lab.adverts({ node }).map(({ at }) => at);
    for (const [i, at] of times.entries()) if (i > 0) expect(at - (times[i - 1] ?? 0)).toBeCloseTo(1000, 6);
  }
  expect(two.status.counters.rejected).toEqual({ version: 27 });
  expect(three.status.counters.rejected).toEqual({ version: 27 });
  expect(three.host.events.filter(({ type }) => type === "warning").length).toBeGreaterThan(12);
});

describe("whatever is on the LAN, the active router keeps its rhythm", () => {
  const kinds: readonly (readonly [string, (lab: Lab) => void])[] = [
    ["lesser advertisements", (lab) => forge(lab, { ...forged4, priority: 50 })],
    ["priority 0", (lab) => forge(lab, { ...forged4, priority: 0 })],
    ["a wrong checksum", (lab) => forgePayload(lab, encodeAdvertisement(forged4).with(7, 0))],
    ["a wrong version", (lab) => forge(lab, forged2)],
    ["a wrong TTL", (lab) => forge(lab, { ...forged4, priority: 255 }, 64)],
    ["interval 0", (lab) => forgePayload(lab, Uint8Array.of(0x31, 51, 254, 1, 0, 0, 0, 0, 192, 0, 2, 1))],
    ["rubbish", (lab) => forgePayload(lab, Uint8Array.of(0x31, 51, 255))],
    [
      "its own advertisements",
      (lab) => forge(lab, { ...forged4, priority: 200, source: Uint8Array.of(192, 0, 2, 11) }),
    ],
  ];

  test.each(kinds)("%s, 200 a second", (_, send) => {
    const lab = new Lab();
    const best = lab.node("best", 11, { priority: 200 });
    const other = lab.node("other", 12);
    lab.start();
    lab.run(10_400);
    const from = lab.now;
    for (let i = 0; i < 2000; i++) {
      send(lab);
      lab.run(5);
    }
    const times = lab.adverts({ node: "best", from: from - 1000 }).map(({ at }) => at);
    for (const [i, at] of times.entries()) if (i > 0) expect(at - (times[i - 1] ?? 0)).toBeLessThanOrEqual(1000 + 1e-6);
    // Answers are limited: ten a second beside the grid.
    expect(times.length).toBeLessThanOrEqual(10 * 10 + 12);
    expect(lab.actives).toEqual(["best"]);
    expect(other.transitions).toHaveLength(1);
    const lines = best.host.events.length + best.host.logs.length;
    expect(lines).toBeLessThanOrEqual(15);
  });

  test("a loop that brings every advertisement back is told and nothing else", () => {
    const lab = new Lab();
    const node = lab.node("best", 11, { priority: 200 });
    const send = lab.lan.sendDatagram.bind(lab.lan);
    lab.lan.sendDatagram = (from, family, bytes, destination) => {
      send(from, family, bytes, destination);
      lab.lan.reflect(from, family, bytes);
    };
    lab.start();
    lab.run(30_000);
    expect(lab.adverts()).toHaveLength(27);
    expect(node.status.counters.own_packets).toBe(27);
    expect(node.transitions).toHaveLength(2);
  });

  test("a late copy of an advertisement from before the priority was lowered does not outrank the node itself", () => {
    const lab = new Lab();
    const node = lab.node("best", 11, { priority: 200 });
    let copy: Uint8Array | undefined;
    const send = lab.lan.sendDatagram.bind(lab.lan);
    lab.lan.sendDatagram = (from, family, bytes, destination) => {
      send(from, family, bytes, destination);
      copy ??= new Uint8Array(bytes);
    };
    lab.start();
    lab.run(5000);
    node.reload({ priority: 90 });
    lab.run(1500);
    if (copy !== undefined) lab.lan.reflect("best", 4, copy);
    lab.run(5000);
    expect(node.status.counters.own_packets).toBe(1);
    expect(node.transitions).toHaveLength(2);
  });
});

test("refusals are counted one by one under their names", () => {
  const lab = new Lab();
  const node = lab.node("best", 11, { priority: 200 });
  lab.start();
  lab.run(5000);
  const good = encodeAdvertisement({ ...forged4, priority: 255 });
  for (let i = 0; i < 7; i++) {
    forgePayload(lab, good, 254);
    forgePayload(lab, good.with(7, 0));
    forgePayload(lab, Uint8Array.of(...good, 1));
    lab.run(10);
  }
  expect(node.status.counters.rejected).toEqual({ ttl: 7, checksum: 7, long: 7 });
  expect(node.status.counters.adverts_received).toBe(0);
  expect(node.status.routers[0]?.last_error).toBe("long");
  expect(lab.actives).toEqual(["best"]);
});

test("one forged owner costs one down interval, not more", () => {
  const lab = new Lab();
  const best = lab.node("best", 11, { priority: 200 });
  const other = lab.node("other", 12);
  lab.start();
  lab.run(10_400);
  const forged = lab.now;
  forge(lab, { ...forged4, priority: 255 });
  lab.run(20_000);
  expect(best.transitions.slice(2).map(({ to }) => to)).toEqual(["backup", "active"]);
  expect((best.transitions.at(-1)?.at ?? 0) - forged).toBeCloseTo(3218.75, 0);
  expect(other.transitions).toHaveLength(1);
});

test("one forged resignation changes nothing: the active router contradicts at once", () => {
  const lab = new Lab();
  const [best, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
  lab.start();
  lab.run(10_400);
  forge(lab, { ...forged4, priority: 0, source: Uint8Array.of(192, 0, 2, 11) });
  lab.run(20_000);
  expect([best.transitions.length, other.transitions.length]).toEqual([2, 1]);
});

test("an active router that dies is replaced although its advertisements are replayed only as long as they are", () => {
  const lab = new Lab();
  const [best, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
  lab.start();
  lab.run(10_400);
  best.crash();
  for (let i = 0; i < 20; i++) {
    forge(lab, { ...forged4, priority: 200, source: Uint8Array.of(192, 0, 2, 11) });
    lab.run(1000);
  }
  expect(other.state).toBe("backup");
  expect(other.status.active_router).toMatchObject({ address: "192.0.2.11", priority: 200 });
  lab.run(2610);
  expect(other.state).toBe("active");
});

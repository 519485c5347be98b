/** RFC 9568 section 6.4.3: the state that forwards for the virtual router. */
import { expect, test } from "vitest";
import { forge, forged4 } from "../support/simulated-forger.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import type { instance } from "../vrrp/samples.ts";

const lower = Uint8Array.of(192, 0, 2, 3);
const higher = Uint8Array.of(192, 0, 2, 200);

/** An active router of priority 100 that has just advertised at 10 000.625 ms - a grid that began at 3609.375 ms. */
function active(changes: Parameters<typeof instance>[0] = {}): { lab: Lab; node: Node; sent: () => number[] } {
  const lab = new Lab();
  lab.lan.quality = { least: 0, most: 0 };
  const node = lab.node("a", 0x80, changes);
  lab.start();
  lab.time.runUntil(10_000);
  return {
    lab,
    node,
    sent: () => lab.adverts({ node: "a", from: 10_000 }).map(({ at }) => Math.round(at * 1000) / 1000),
  };
}

test("6.4.3: an active router holds every address and advertises once each interval", () => {
  const { lab, node, sent } = active();
  lab.run(3000);
  expect(node.held).toEqual(["192.0.2.1"]);
  expect(sent()).toEqual([10_609.375, 11_609.375, 12_609.375]);
});

test("6.4.3: shutdown sends priority 0 with the same VRID, addresses and interval", () => {
  const { lab, node } = active();
  node.kernel.deleteByHand("192.0.2.128");
  lab.run(5000);
  expect(node.state).toBe("initialize");
  expect(node.held).toEqual([]);
  expect(lab.adverts({ node: "a", from: 10_000 })).toMatchObject([{ priority: 0, vrid: 51, count: 1, interval: 1000 }]);
});

test("6.4.3: priority 0 is answered at once, and the Adver_Timer starts again", () => {
  const { lab, sent } = active();
  lab.run(100);
  forge(lab, { ...forged4, priority: 0 });
  lab.run(2000);
  expect(sent()).toEqual([10_100, 11_100, 12_100]);
});

test.each([
  ["a higher priority", 101, lower],
  ["the same priority from a higher address", 100, higher],
])(
  "6.4.3: %s leads to backup with the sender's interval, without priority 0, whatever preemption says",
  (_, priority, source) => {
    for (const preempt of [true, false]) {
      const { lab, node, sent } = active({ preempt });
      lab.run(100);
      forge(lab, { ...forged4, priority, source, interval: 2000 });
      lab.run(0);
      expect([node.state, node.held]).toEqual(["backup", []]);
      expect(node.status.routers[0]).toMatchObject({ active_advert_int_ms: 2000, active_down_interval_ms: 7218.75 });
      lab.run(7200);
      expect(sent()).toEqual([]);
      lab.run(20);
      expect(node.state).toBe("active");
    }
  },
);

test.each([
  ["a lower priority", 99, higher],
  ["the same priority from a lower address", 100, lower],
])(
  "6.4.3: %s is discarded and answered at once; the next advertisement comes no later for it",
  (_, priority, source) => {
    const { lab, node, sent } = active();
    lab.run(100);
    forge(lab, { ...forged4, priority, source });
    lab.run(2000);
    expect(node.state).toBe("active");
    expect(sent()).toEqual([10_100, 10_609.375, 11_609.375]);
  },
);

test("6.4.3: addresses are compared as unsigned numbers in network byte order", () => {
  const { lab, node } = active();
  // Ours ends in 0x80: as a signed byte it would be the lower one.
  forge(lab, { ...forged4, priority: 100, source: Uint8Array.of(192, 0, 2, 0x7f) });
  lab.run(1);
  expect(node.state).toBe("active");
  forge(lab, { ...forged4, priority: 100, source: Uint8Array.of(192, 0, 3, 1) });
  lab.run(1);
  expect(node.state).toBe("backup");
});

test("6.4.3: as active the local interval is used, whatever was learned before", () => {
  const lab = new Lab();
  lab.node("a", 11);
  lab.start();
  forge(lab, { ...forged4, priority: 150, interval: 100 });
  lab.run(5000);
  const times = lab.adverts({ node: "a" }).map(({ at, interval }) => [at, interval]);
  expect((times[1]?.[0] ?? 0) - (times[0]?.[0] ?? 0)).toBeCloseTo(1000, 6);
  expect(times[0]?.[1]).toBe(1000);
});

/** RFC 9568 section 6.4.2: the state that watches the active router. */
import { expect, test } from "vitest";
import { forge, forged4, forged6 } from "../support/simulated-forger.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { dualStack, type instance } from "../vrrp/samples.ts";

/** A backup of priority 100 that hears a forged active router of priority 150 at 0 ms; its timer is due at 3609.375 ms. */
function backup(changes: Parameters<typeof instance>[0] = {}): { lab: Lab; node: Node; due: () => number } {
  const lab = new Lab();
  lab.lan.quality = { least: 0, most: 0 };
  const node = lab.node("a", 11, changes);
  lab.start();
  forge(lab, { ...forged4, priority: 150 });
  lab.run(0);
  return { lab, node, due: () => lab.now + (node.status.routers[0]?.timer_ms ?? Number.NaN) };
}

test("6.4.2: a backup has none of the addresses, announces nothing and sends nothing", () => {
  const { lab, node } = backup();
  lab.run(3609);
  expect([node.held, lab.lan.announcements, lab.adverts({ node: "a" })]).toEqual([[], [], []]);
});

test("6.4.2: shutdown leads to initialize without an advertisement", () => {
  const { lab, node } = backup();
  node.kernel.setCarrier(false);
  lab.run(10_000);
  expect(node.state).toBe("initialize");
  expect(lab.adverts({ node: "a" })).toEqual([]);
});

test("6.4.2: when the Active_Down_Timer fires the router advertises, announces every address, and is active", () => {
  const { lab, node, due } = backup();
  const at = due();
  expect(at).toBeCloseTo(3609.375, 6);
  lab.time.runUntil(at - 0.001);
  expect(node.state).toBe("backup");
  lab.time.runUntil(at + 0.001);
  expect(node.state).toBe("active");
  expect(lab.adverts({ node: "a" })[0]?.at).toBeCloseTo(at, 6);
  expect(lab.lan.announcements.map(({ address }) => address)).toEqual(["192.0.2.1"]);
  lab.run(1000);
  expect(lab.adverts({ node: "a" })[1]?.at).toBeCloseTo(at + 1000, 6);
});

test("6.4.2: priority 0 sets the timer to the Skew_Time, whoever sends it", () => {
  const { lab, due } = backup();
  lab.run(500);
  forge(lab, { ...forged4, priority: 0, source: Uint8Array.of(192, 0, 2, 99) });
  lab.run(0);
  expect(due()).toBeCloseTo(500 + 609.375, 6);
});

test("6.4.2: priority 0 leaves Active_Adver_Interval as it is", () => {
  const { lab, node } = backup();
  forge(lab, { ...forged4, priority: 0, interval: 40_950 });
  lab.run(0);
  expect(node.status.routers[0]?.active_advert_int_ms).toBe(1000);
});

test.each([
  [true, 100],
  [true, 150],
  [false, 1],
  [false, 100],
  [false, 254],
])(
  "6.4.2: preemption %s, priority %d: Active_Adver_Interval, Skew_Time, Active_Down_Interval and the timer are set anew",
  (preempt, priority) => {
    const { lab, node, due } = backup({ preempt });
    lab.run(500);
    forge(lab, { ...forged4, priority, interval: 2000 });
    lab.run(0);
    expect(node.status.routers[0]).toMatchObject({
      active_advert_int_ms: 2000,
      skew_time_ms: 1218.75,
      active_down_interval_ms: 7218.75,
    });
    expect(due()).toBeCloseTo(500 + 7218.75, 6);
  },
);

test.each([1, 50, 99])("6.4.2: with preemption priority %d is discarded: the timer goes on", (priority) => {
  const { lab, node, due } = backup();
  lab.run(500);
  forge(lab, { ...forged4, priority, interval: 40_950 });
  lab.run(0);
  expect(due()).toBeCloseTo(3609.375, 6);
  expect(node.status.routers[0]?.active_advert_int_ms).toBe(1000);
});

test("6.4.2: the same holds over IPv6", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, { ...dualStack(), families: [6] });
  lab.start();
  forge(lab, { ...forged6, priority: 101, interval: 500 });
  lab.run(1);
  expect(node.status.routers[0]).toMatchObject({ family: "ipv6", active_advert_int_ms: 500 });
  expect(node.status.active_router).toMatchObject({ address: "fe80::64", priority: 101 });
});

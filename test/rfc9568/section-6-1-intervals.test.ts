/** RFC 9568 section 6.1: the intervals that follow from priority and advertisement interval, seen on a LAN. */
import { expect, test } from "vitest";
import { Lab } from "../support/simulated-lab.ts";
import { dualStack } from "../vrrp/samples.ts";

test.each([
  [1, 1000, 3996.09375],
  [100, 1000, 3609.375],
  [200, 1000, 3218.75],
  [254, 1000, 3007.8125],
  [100, 10, 36.09375],
  [254, 10, 30.078125],
  [100, 40_950, 147_803.90625],
])(
  "6.1: priority %d, interval %d ms: Active_Down_Interval is three intervals and the Skew_Time, %d ms",
  (priority, advertisementInterval, down) => {
    const lab = new Lab();
    const node = lab.node("a", 11, { priority, advertisementInterval });
    lab.start();
    expect(node.status.routers[0]).toMatchObject({
      active_down_interval_ms: down,
      skew_time_ms: ((256 - priority) * advertisementInterval) / 256,
    });
    lab.run(down + 1);
    expect(lab.adverts()[0]?.at).toBeCloseTo(down, 6);
  },
);

test("6.1: of routers that wait together the one with the highest priority is first, by the difference of their skews", () => {
  const lab = new Lab();
  for (const [i, priority] of [10, 100, 190].entries()) lab.node(`r${i}`, 11 + i, { priority });
  lab.start();
  lab.lan.partition(["r0"], ["r1"], ["r2"]);
  lab.run(5000);
  const first = (node: string) => lab.adverts({ node })[0]?.at ?? 0;
  expect(first("r1") - first("r2")).toBeCloseTo((90 * 1000) / 256, 6);
  expect(first("r0") - first("r1")).toBeCloseTo((90 * 1000) / 256, 6);
});

test("6.1: Active_Adver_Interval is the local interval until an advertisement is accepted, then the sender's", () => {
  const lab = new Lab();
  const active = lab.node("active", 11, { priority: 200, advertisementInterval: 250 });
  const backup = lab.node("backup", 12);
  backup.start();
  expect(backup.status.routers[0]?.active_advert_int_ms).toBe(1000);
  active.start();
  lab.run(2000);
  expect(backup.status.routers[0]?.active_advert_int_ms).toBe(250);
});

test("6.1: the two families of one VRID on one interface are two virtual routers with timers of their own", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, dualStack());
  lab.start();
  lab.run(10_000);
  expect(node.status.routers.map(({ family, counters }) => [family, counters.adverts_sent])).toEqual([
    ["ipv4", 7],
    ["ipv6", 7],
  ]);
});

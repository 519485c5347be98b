import { expect, test } from "vitest";
import { kindOf, LogGuard } from "../../src/daemon/log-guard.ts";

test("one line a second passes for each key, and the next one tells how many did not", () => {
  const guard = new LogGuard();
  expect([0, 1, 999].map((now) => guard.admit("a", now))).toEqual([
    { admitted: true, suppressed: 0 },
    { admitted: false, suppressed: 1 },
    { admitted: false, suppressed: 2 },
  ]);
  expect(guard.admit("b", 500)).toEqual({ admitted: true, suppressed: 0 });
  expect(guard.admit("a", 1000)).toEqual({ admitted: true, suppressed: 2 });
  expect(guard.admit("a", 2000)).toEqual({ admitted: true, suppressed: 0 });
});

test("when a storm ends, what was left out is still owed, once; quiet keys are forgotten", () => {
  const guard = new LogGuard();
  for (const now of [0, 10, 20]) guard.admit("storm", now);
  guard.admit("quiet", 0);
  guard.admit("young", 900);
  expect(guard.expire(1100)).toEqual([{ key: "storm", count: 2 }]);
  expect(guard.size).toBe(1);
  expect(guard.expire(2000)).toEqual([]);
  expect(guard.size).toBe(0);
});

test.each([
  ["rejected advertisement from 192.0.2.9: checksum", "rejected advertisement from 198.51.100.200: checksum", true],
  ["no advertisement from fe80::1 for 3.61 s", "no advertisement from 2001:db8::2:3 for 12 s", true],
  ["rejected: checksum", "rejected: ttl", false],
])("%s and %s are of one kind: %s", (a, b, same) => {
  expect(kindOf("web", a) === kindOf("web", b)).toBe(same);
});

test("the same words about two instances are two kinds", () => {
  expect(kindOf("web", "x")).not.toBe(kindOf("inside", "x"));
});

import { expect, test } from "vitest";
import { copyCounters, countRejection, instanceCounters, newCounters } from "../../src/vrrp/counters.ts";

test("a copy does not change with the original", () => {
  const counters = newCounters();
  countRejection(counters.rejected, "ttl");
  const copy = copyCounters(counters);
  counters.adverts_sent++;
  countRejection(counters.rejected, "ttl");
  expect(copy).toEqual({ ...newCounters(), rejected: { ttl: 1 } });
});

test("an instance has the sum of every counter and every kind of refusal of its families", () => {
  const [a, b] = [newCounters(), newCounters()];
  for (const name of Object.keys(a)) {
    if (name === "rejected") continue;
    a[name as Exclude<keyof typeof a, "rejected">] = 2;
    b[name as Exclude<keyof typeof b, "rejected">] = 3;
  }
  countRejection(a.rejected, "ttl");
  countRejection(b.rejected, "ttl");
  countRejection(b.rejected, "checksum");
  const { rejected, became_active, released_active, ...rest } = instanceCounters([a, b]);
  expect(new Set(Object.values(rest))).toEqual(new Set([5]));
  // The families take and lose the role together: that is once.
  expect([became_active, released_active]).toEqual([3, 3]);
  expect(rejected).toEqual({ ttl: 2, checksum: 1 });
});

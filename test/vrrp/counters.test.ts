import { expect, test } from "vitest";
import { copyCounters, countRejection, newCounters, sumCounters } from "../../src/vrrp/counters.ts";

test("a copy does not change with the original", () => {
  const counters = newCounters();
  countRejection(counters.rejected, "ttl");
  const copy = copyCounters(counters);
  counters.adverts_sent++;
  countRejection(counters.rejected, "ttl");
  expect(copy).toEqual({ ...newCounters(), rejected: { ttl: 1 } });
});

test("the sum has every counter and every kind of refusal", () => {
  const [a, b] = [newCounters(), newCounters()];
  for (const name of Object.keys(a)) {
    if (name === "rejected") continue;
    a[name as Exclude<keyof typeof a, "rejected">] = 2;
    b[name as Exclude<keyof typeof b, "rejected">] = 3;
  }
  countRejection(a.rejected, "ttl");
  countRejection(b.rejected, "ttl");
  countRejection(b.rejected, "checksum");
  const { rejected, ...rest } = sumCounters([a, b]);
  expect(new Set(Object.values(rest))).toEqual(new Set([5]));
  expect(rejected).toEqual({ ttl: 2, checksum: 1 });
});

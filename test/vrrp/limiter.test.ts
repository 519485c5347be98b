import { expect, test } from "vitest";
import { Limiter } from "../../src/vrrp/limiter.ts";

test("the first line passes, further ones are held back for the period and counted", () => {
  const limiter = new Limiter(1000);
  expect(limiter.allow("checksum", 5000)).toBe(0);
  expect(limiter.allow("checksum", 5000)).toBeUndefined();
  expect(limiter.allow("checksum", 5999.9)).toBeUndefined();
  expect(limiter.allow("checksum", 6000)).toBe(2);
  expect(limiter.allow("checksum", 9000)).toBe(0);
});

test("keys do not limit each other", () => {
  const limiter = new Limiter(1000);
  expect(limiter.allow("checksum", 0)).toBe(0);
  expect(limiter.allow("ttl", 0)).toBe(0);
});

test("ten thousand lines a second leave one a second", () => {
  const limiter = new Limiter(1000);
  const passed = Array.from({ length: 30_000 }, (_, i) => limiter.allow("ttl", i / 10)).filter((n) => n !== undefined);
  expect(passed).toEqual([0, 9999, 9999]);
});

import { expect, test } from "vitest";
import { expiryWarning } from "../../src/healthchecks/certificate.ts";

const day = 24 * 3_600_000;
const validity = { from: 0, to: 90 * day };
const warning = (left: number, of = validity) => expiryWarning("192.0.2.1:443", of, 14 * day, of.to - left);

test.each([
  [14 * day, undefined],
  [14 * day - 1, "the certificate of 192.0.2.1:443 expires in 13 days"],
  [2 * day - 1, "the certificate of 192.0.2.1:443 expires in 1 day"],
  [day - 1, "the certificate of 192.0.2.1:443 expires in less than a day"],
  [-1, "the certificate of 192.0.2.1:443 expired less than a day ago"],
  [-3 * day, "the certificate of 192.0.2.1:443 expired 3 days ago"],
])("with %d ms left: %s", (left, text) => expect(warning(left)).toBe(text));

test("of a short life the last third counts", () => {
  const short = { from: 0, to: 6 * day };
  expect(warning(2 * day, short)).toBeUndefined();
  expect(warning(2 * day - 1, short)).toContain("expires in 1 day");
});

test("a date that cannot be read is no reason to warn", () => {
  expect(expiryWarning("x", { from: 0, to: Number.NaN }, day, 0)).toBeUndefined();
});

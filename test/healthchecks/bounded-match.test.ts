import { expect, test } from "vitest";
import { matches } from "../../src/healthchecks/bounded-match.ts";

const endless = "^(x+x+)+y$";
const evil = "x".repeat(60);

test("what takes for ever is cut off, three times; then it is not even tried for half a minute", () => {
  for (let i = 0; i < 3; i++) expect(() => matches(endless, "", evil, "a", i)).toThrow("takes longer than 100 ms");
  const begun = performance.now();
  expect(() => matches(endless, "", "xy", "a", 29_000)).toThrow(/took longer than 100 ms 3 times: simplify it$/);
  expect(performance.now() - begun).toBeLessThan(50);
  // What others answer is another matter.
  expect(matches(endless, "", "xxxy", "b", 29_000)).toBe(true);
  expect(matches(endless, "", "xxxy", "a", 31_000)).toBe(true);
  expect(() => matches(endless, "", evil, "a", 31_000)).toThrow("takes longer than 100 ms");
});

test("an expression of its own making is an error, not the end", () => {
  expect(() => matches("(", "", "x", "a")).toThrow("Invalid regular expression");
});

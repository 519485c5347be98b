import { expect, test } from "vitest";
import { inTime, matches, NoTime } from "../../src/healthchecks/bounded-match.ts";
import { undecidedBy } from "../../src/healthchecks/system-failure.ts";

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

test("what is cut off because this host is busy is tried again for longer, and then says nothing", () => {
  let used = 0;
  const limits: number[] = [];
  /** Done when it had 30 ms of a processor, of which it gets `share`. */
  const attempt = (share: number) => (limit: number) => {
    limits.push(limit);
    used += Math.min(30, limit * share);
    return limit * share >= 30 ? true : undefined;
  };
  const clock = () => used;
  expect(inTime(attempt(1), clock)).toBe(true);
  expect(inTime(attempt(0.1), clock)).toBe(true);
  expect(limits).toEqual([100, 100, 300]);
  expect(inTime(attempt(0.01), clock)).toBe("no time");
  expect(limits.slice(3)).toEqual([100, 300, 1000]);
});

test("what takes for ever is not tried again, however busy this host is", () => {
  let used = 0;
  let tried = 0;
  const hopeless = (share: number) => (limit: number) => {
    tried++;
    used += limit * share;
    return undefined;
  };
  expect(inTime(hopeless(0.95), () => used)).toBe("too long");
  expect(tried).toBe(1);
  expect(inTime(hopeless(0.3), () => used)).toBe("too long");
  expect(tried).toBe(3);
});

test("an outcome is undecided by a busy host only", () => {
  expect(undecidedBy(new NoTime("busy"))).toEqual({ undecided: true });
  expect(undecidedBy(new Error("down"))).toEqual({});
});

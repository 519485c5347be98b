import fc from "fast-check";
import { expect, test } from "vitest";
import type { Track } from "../../src/vrrp/parameters.ts";
import { differingParts, effectivePriority, priorityChange } from "../../src/vrrp/priority.ts";

const part = (name: string, change: number) => ({ name, change });

test.each<[string, number, number[], number, number[]]>([
  ["nothing tracked", 150, [], 150, []],
  ["a negative change", 200, [-110], 90, [-110]],
  ["several changes", 100, [-60, 20, -10], 50, [-60, 20, -10]],
  ["a change of 0 is no part", 100, [0, 20], 120, [20]],
  ["never 0", 200, [-150, -150], 1, [-150, -150, 101]],
  ["never below 1", 1, [-254], 1, [-254, 254]],
  ["never 255", 200, [100], 254, [100, -46]],
  ["an owner keeps 255", 255, [-60, -254], 255, []],
])("%s: %i with %j is %i", (_, base, changes, effective, parts) => {
  const result = effectivePriority(
    base,
    changes.map((change, i) => part(`check c${i}`, change)),
  );
  expect([result.base, result.effective]).toEqual([base, effective]);
  expect(result.parts.map(({ change }) => change)).toEqual(parts);
});

test("what was limited is explained by a part of its own", () => {
  expect(effectivePriority(200, [part("interface eth1", -150), part("interface eth2", -150)]).parts.at(-1)).toEqual({
    name: "kept within 1 to 254",
    change: 101,
  });
});

const track = (priority: number): Track => ({ what: "check", name: "c", priority, reverse: false });

test.each([
  ["negative, failing", -60, true, -60],
  ["negative, working", -60, false, 0],
  ["positive, failing", 20, true, 0],
  ["positive, working", 20, false, 20],
])("%s", (_, priority, failing, change) => {
  expect(priorityChange(track(priority), failing)).toBe(change);
});

test("an object whose failure is a fault changes no priority", () => {
  const fault: Track = { what: "check", name: "c", reverse: false };
  expect([priorityChange(fault, true), priorityChange(fault, false)]).toEqual([0, 0]);
});

const changes = fc.array(fc.integer({ min: -254, max: 254 }), { maxLength: 12 });

test("within 1 to 254 whatever is tracked, and the parts add up", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 254 }), changes, (base, list) => {
      const { effective, parts } = effectivePriority(
        base,
        list.map((change, i) => part(`c${i}`, change)),
      );
      expect(effective).toBeGreaterThanOrEqual(1);
      expect(effective).toBeLessThanOrEqual(254);
      expect(parts.reduce((sum, { change }) => sum + change, base)).toBe(effective);
    }),
  );
});

test("whatever fails and recovers, in any order, the configured priority is back in the end", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 254 }),
      fc.array(fc.integer({ min: -254, max: -1 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(5)),
      (base, list, toggles) => {
        const failing = list.map(() => false);
        const now = () =>
          effectivePriority(
            base,
            list.map((change, i) => part(`c${i}`, priorityChange(track(change), failing[i] === true))),
          ).effective;
        for (const toggle of toggles) {
          const i = toggle % list.length;
          failing[i] = failing[i] !== true;
          expect(now()).toBeLessThanOrEqual(base);
        }
        failing.fill(false);
        expect(now()).toBe(base);
      },
    ),
  );
});

test("two priorities differ by the parts that came, went or changed", () => {
  const before = effectivePriority(200, [part("a", -10), part("b", -20), part("c", -30)]);
  const after = effectivePriority(200, [part("a", -10), part("b", -25), part("d", 5)]);
  expect([...differingParts(before, after)].sort()).toEqual(["b", "c", "d"]);
});

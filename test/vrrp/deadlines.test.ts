import fc from "fast-check";
import { expect, test } from "vitest";
import { Deadlines, type Entry, newEntry } from "../../src/vrrp/deadlines.ts";

const nothing = () => {};

test("the earliest deadline comes out first, and only when it is due", () => {
  const deadlines = new Deadlines();
  const [a, b] = [newEntry(nothing), newEntry(nothing)];
  deadlines.set(a, 20);
  deadlines.set(b, 10);
  expect(deadlines.first?.at).toBe(10);
  expect(deadlines.take(9.999)).toBeUndefined();
  expect(deadlines.take(10)).toBe(b);
  expect(deadlines.take(15)).toBeUndefined();
  expect(deadlines.take(25)).toBe(a);
  expect(deadlines.first?.at).toBeUndefined();
});

test("an entry is in the heap once, whatever it is set to", () => {
  const deadlines = new Deadlines();
  const entry = newEntry(nothing);
  for (const at of [5, 1, 9]) deadlines.set(entry, at);
  expect([deadlines.size, deadlines.first?.at]).toEqual([1, 9]);
  deadlines.set(entry, undefined);
  deadlines.set(entry, undefined);
  expect(deadlines.size).toBe(0);
  deadlines.set(entry, 3);
  expect(deadlines.take(3)).toBe(entry);
});

test("it behaves as a sorted array does, over any sequence of operations", () => {
  const operation = fc.oneof(
    fc.record({ what: fc.constant("set" as const), which: fc.nat(19), at: fc.nat(50) }),
    fc.record({ what: fc.constant("clear" as const), which: fc.nat(19), at: fc.constant(0) }),
    fc.record({ what: fc.constant("take" as const), which: fc.constant(0), at: fc.nat(50) }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
      const deadlines = new Deadlines();
      const entries = Array.from({ length: 20 }, () => newEntry(nothing));
      const model = new Map<Entry, number>();
      for (const { what, which, at } of operations) {
        const entry = entries[which];
        if (entry === undefined) throw new Error("no entry");
        if (what === "set") {
          deadlines.set(entry, at);
          model.set(entry, at);
        } else if (what === "clear") {
          deadlines.set(entry, undefined);
          model.delete(entry);
        } else {
          const taken = deadlines.take(at);
          const first = Math.min(...model.values());
          // Of equal deadlines any may be first.
          if (taken === undefined) expect(first).toBeGreaterThan(at);
          else expect(model.get(taken)).toBe(first);
          if (taken !== undefined) model.delete(taken);
        }
        expect(deadlines.size).toBe(model.size);
        expect(deadlines.first?.at).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
      }
    }),
  );
});

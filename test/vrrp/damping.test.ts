import fc from "fast-check";
import { expect, test } from "vitest";
import { type Flapping, flapped, heldUntil, penaltyAt, released, steady } from "../../src/vrrp/damping.ts";

const damping = { suppress: 2, reuse: 1, halfLife: 30_000 };

function failures(...times: readonly number[]): Flapping {
  return times.reduce((flapping, at) => flapped(damping, flapping, at), steady);
}

test("a penalty decays by half in each half-life", () => {
  const once = failures(1000);
  expect([0, 30_000, 60_000].map((after) => penaltyAt(damping, once, 1000 + after))).toEqual([1, 0.5, 0.25]);
});

test("the third failure in a short time holds, two do not, and three far apart do not", () => {
  expect(failures(0, 1000).held).toBe(false);
  expect(failures(0, 1000, 2000).held).toBe(true);
  expect(failures(0, 30_000, 60_000).held).toBe(false);
});

test("the hold ends when the penalty is down to reuse, not before", () => {
  const held = failures(0, 0, 0);
  const until = heldUntil(damping, held) ?? 0;
  expect(until).toBeCloseTo(30_000 * Math.log2(3), 6);
  expect(penaltyAt(damping, held, until)).toBeCloseTo(1, 9);
  expect(released(damping, held, until - 1).held).toBe(true);
  expect(released(damping, held, until).held).toBe(false);
  expect(heldUntil(damping, released(damping, held, until))).toBeUndefined();
});

test("a failure during the hold prolongs it, up to the ceiling of twice suppress", () => {
  const held = failures(0, 0, 0);
  const again = flapped(damping, held, 40_000);
  expect(heldUntil(damping, again)).toBeGreaterThan(heldUntil(damping, held) ?? 0);
  const endless = failures(...Array<number>(100).fill(0));
  expect(endless.penalty).toBe(4);
  expect(heldUntil(damping, endless)).toBeCloseTo(60_000, 6);
});

test("nothing is held longer than the ceiling allows, and what is quiet is released", () => {
  fc.assert(
    fc.property(
      fc.record({ suppress: fc.integer({ min: 2, max: 20 }), halfLife: fc.constantFrom(1000, 30_000) }),
      fc.array(fc.nat(5000), { maxLength: 60 }),
      ({ suppress, halfLife }, waits) => {
        const settings = { suppress, reuse: 1, halfLife };
        let now = 0;
        let flapping = steady;
        for (const wait of waits) {
          now += wait;
          flapping = flapped(settings, released(settings, flapping, now), now);
        }
        const longest = halfLife * Math.log2(2 * suppress);
        expect((heldUntil(settings, flapping) ?? now) - now).toBeLessThanOrEqual(longest + 1e-6);
        expect(released(settings, flapping, now + longest + 1e-6).held).toBe(false);
      },
    ),
  );
});

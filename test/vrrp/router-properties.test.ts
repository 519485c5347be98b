/** What holds for every router, state and event. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { VrrpVersion } from "../../src/vrrp/parameters.ts";
import { deadline, type Event, initialState, type RouterParameters, type State, step } from "../../src/vrrp/router.ts";
import { compareAddresses } from "../../src/wire/address.ts";

const addresses = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 4, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(Uint8Array.of(192, 0, 2, 1), Uint8Array.of(192, 0, 2, 200)) },
);
const intervals = fc.integer({ min: 1, max: 4095 }).map((centiseconds) => centiseconds * 10);
const routers = fc.record({
  version: fc.constantFrom<VrrpVersion>(2, 3),
  priority: fc.integer({ min: 1, max: 255 }),
  interval: intervals,
  preempt: fc.boolean(),
  preemptDelay: fc.constantFrom(0, 5000),
  address: addresses,
  coupled: fc.boolean(),
  decidesTies: fc.boolean(),
  yieldOnLowerPriority: fc.boolean(),
});
const events: fc.Arbitrary<Event> = fc.oneof(
  fc.constantFrom<Event>(
    { type: "startup" },
    { type: "shutdown", why: "" },
    { type: "timer" },
    { type: "parameters" },
    { type: "parameters", priority: "raised" },
    { type: "parameters", priority: "lowered" },
    { type: "grant" },
    { type: "yield" },
    { type: "stalled", silent: 5000 },
  ),
  fc.record({
    type: fc.constant("advertisement" as const),
    priority: fc.constantFrom(0, 1, 100, 254, 255),
    interval: intervals,
    source: addresses,
    at: fc.constant(0),
  }),
);
/** Time passes between them: often nothing, often up to the deadline, rarely longer. */
const histories = fc.array(fc.record({ event: events, wait: fc.constantFrom(0, 0.5, 1, 1.5) }), { maxLength: 40 });

function play(
  router: RouterParameters,
  history: readonly { readonly event: Event; readonly wait: number }[],
  look: (before: State, event: Event, now: number, after: ReturnType<typeof step>) => void,
): void {
  let state: State = initialState;
  let now = 1000;
  for (const { event, wait } of history) {
    now += ((deadline(state) ?? now + router.interval) - now) * wait;
    // Version 2 lets nothing pass with another interval than its own.
    const interval = router.version === 2 ? { interval: router.interval } : {};
    const happened = event.type === "advertisement" ? { ...event, ...interval, at: now } : event;
    const next = step(router, state, happened, now);
    look(state, happened, now, next);
    state = next.state;
  }
}

describe("in every history", () => {
  test("a cause is told exactly when the state changes", () => {
    fc.assert(
      fc.property(routers, histories, (router, history) => {
        play(router, history, (before, _, __, { state, cause }) => {
          expect(cause !== undefined).toBe(state.name !== before.name);
        });
      }),
    );
  });

  test("addresses come when the router becomes active and go when it leaves, and at no other time", () => {
    fc.assert(
      fc.property(routers, histories, (router, history) => {
        play(router, history, (before, _, __, { state, actions }) => {
          const types = actions.map(({ type }) => type);
          expect(types.includes("add-addresses")).toBe(before.name !== "active" && state.name === "active");
          expect(types.includes("remove-addresses")).toBe(before.name === "active" && state.name !== "active");
        });
      }),
    );
  });

  test("only an active router speaks, and priority 0 only as its last word, or right before its new priority", () => {
    fc.assert(
      fc.property(routers, histories, (router, history) => {
        play(router, history, (before, event, _, { state, actions }) => {
          const sent = actions.flatMap((action) => (action.type === "send-advertisement" ? [action.priority] : []));
          if (sent.length > 0) expect(before.name === "active" || state.name === "active").toBe(true);
          if (event.type === "shutdown") expect(sent).toEqual(before.name === "active" ? [0] : []);
          else if (sent.includes(0)) {
            expect([router.yieldOnLowerPriority, state.name, sent]).toEqual([true, "active", [0, router.priority]]);
          }
        });
      }),
    );
  });

  test("the next advertisement of an active router is never more than an interval away", () => {
    fc.assert(
      fc.property(routers, histories, (router, history) => {
        let last = Number.POSITIVE_INFINITY;
        play(router, history, (_, __, now, { state, actions }) => {
          if (actions.some(({ type }) => type === "send-advertisement")) last = now;
          if (state.name === "active")
            expect(state.adverTimer).toBeLessThanOrEqual(Math.max(last, now) + router.interval);
        });
      }),
    );
  });

  test("a timer that comes early changes nothing", () => {
    fc.assert(
      fc.property(routers, histories, (router, history) => {
        play(router, history, (_, __, now, { state }) => {
          const due = deadline(state);
          if (due === undefined || due <= now) return;
          expect(step(router, state, { type: "timer" }, (now + due) / 2)).toEqual({ state, actions: [] });
        });
      }),
    );
  });

  test("a timer that is due leaves a deadline in the future", () => {
    fc.assert(
      fc.property(routers, histories, fc.double({ min: 0, max: 100_000, noNaN: true }), (router, history, late) => {
        play(router, history, (_, __, now, { state }) => {
          const at = Math.max(deadline(state) ?? 0, now) + late;
          const after = deadline(step(router, state, { type: "timer" }, at).state);
          if (after !== undefined) expect(after).toBeGreaterThan(at - 1e-6);
        });
      }),
    );
  });

  test("nothing that is heard brings a backup's timer further than its Active_Down_Interval", () => {
    fc.assert(
      fc.property(routers, histories, (router, history) => {
        play(router, history, (_, event, now, { state }) => {
          if (event.type !== "advertisement" || state.name !== "backup") return;
          const longest = 3 * state.activeAdverInterval + Math.max(state.activeAdverInterval, 1000);
          expect(state.activeDownTimer).toBeLessThanOrEqual(now + longest);
        });
      }),
    );
  });
});

test("of two active routers that hear each other exactly one remains, and both agree which", () => {
  fc.assert(
    fc.property(routers, routers, fc.boolean(), (left, right, leftFirst) => {
      fc.pre(left.version === right.version && compareAddresses(left.address, right.address) !== 0);
      const active: State = { name: "active", adverTimer: 1000, answerAfter: 0 };
      const hear = (router: RouterParameters, from: RouterParameters) => {
        const { priority, interval, address: source } = from;
        return step(
          { ...router, decidesTies: true },
          active,
          { type: "advertisement", priority, interval, source, at: 500 },
          500,
        ).state.name;
      };
      const names = leftFirst
        ? [hear(left, right), hear(right, left)]
        : [hear(right, left), hear(left, right)].reverse();
      expect(names.toSorted()).toEqual(["active", "backup"]);
      const higher = left.priority - right.priority || compareAddresses(left.address, right.address);
      expect(names[0]).toBe(higher > 0 ? "active" : "backup");
    }),
    { numRuns: 500 },
  );
});

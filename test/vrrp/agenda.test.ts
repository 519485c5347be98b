import { expect, test } from "vitest";
import { Agenda } from "../../src/vrrp/agenda.ts";
import { newEntry } from "../../src/vrrp/deadlines.ts";

/** A clock that moves only when told, and an alarm that remembers what it was told. */
function setup(): {
  clock: { now: number };
  agenda: Agenda;
  armed: () => number | undefined;
  ring: () => void;
  told: string[];
} {
  const clock = { now: 1000 };
  const told: string[] = [];
  let at: number | undefined;
  let expire = () => {};
  const agenda = new Agenda(
    () => clock.now,
    (onExpire) => {
      expire = onExpire;
      return {
        arm: (instant) => {
          at = instant;
        },
        disarm: () => {
          at = undefined;
        },
      };
    },
  );
  return { clock, agenda, armed: () => at, ring: () => expire(), told };
}

test("the alarm is set to the earliest deadline of both kinds, and off when there is none", () => {
  const { agenda, armed } = setup();
  const [protocol, background] = [newEntry(() => {}), newEntry(() => {})];
  expect(armed()).toBeUndefined();
  agenda.schedule(protocol, 3000);
  expect(armed()).toBe(3000);
  agenda.scheduleBackground(background, 2000);
  expect(armed()).toBe(2000);
  agenda.scheduleBackground(background, undefined);
  expect(armed()).toBe(3000);
  agenda.schedule(protocol, undefined);
  expect(armed()).toBeUndefined();
});

test("work that should be done soon arms the alarm at once", () => {
  const { agenda, armed } = setup();
  agenda.schedule(
    newEntry(() => {}),
    3000,
  );
  agenda.soon(() => {});
  expect(armed()).toBeLessThanOrEqual(1000);
});

test("protocol deadlines come first, then work, then background deadlines", () => {
  const { agenda, ring, told } = setup();
  agenda.soon(() => told.push("work"));
  agenda.scheduleBackground(
    newEntry(() => told.push("background")),
    900,
  );
  agenda.schedule(
    newEntry(() => told.push("late")),
    999,
  );
  agenda.schedule(
    newEntry(() => told.push("early")),
    998,
  );
  ring();
  expect(told).toEqual(["early", "late", "work", "background"]);
});

test("a protocol deadline that comes due between two pieces of work goes before the second", () => {
  const { clock, agenda, ring, told } = setup();
  agenda.schedule(
    newEntry(() => told.push("protocol")),
    1001,
  );
  agenda.soon(() => {
    told.push("first");
    clock.now = 1001;
  });
  agenda.soon(() => told.push("second"));
  ring();
  expect(told).toEqual(["first", "protocol", "second"]);
});

test("a turn gives the loop back after a few milliseconds, and goes on with the next one", () => {
  const { clock, agenda, armed, ring, told } = setup();
  for (let i = 0; i < 10; i++) {
    agenda.soon(() => {
      told.push(`work ${i}`);
      clock.now += 1;
    });
  }
  ring();
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThanOrEqual(5);
  expect(armed()).toBeLessThanOrEqual(clock.now);
  ring();
  ring();
  ring();
  expect(told).toEqual(Array.from({ length: 10 }, (_, i) => `work ${i}`));
  expect(armed()).toBeUndefined();
});

test("more protocol deadlines than fit a turn do not keep the loop from anything else", () => {
  const { clock, agenda, armed, ring, told } = setup();
  for (let i = 0; i < 10; i++) {
    agenda.schedule(
      newEntry(() => {
        told.push(`deadline ${i}`);
        clock.now += 1;
      }),
      900 + i,
    );
  }
  ring();
  expect(told.length).toBeLessThanOrEqual(5);
  expect(armed()).toBeLessThanOrEqual(clock.now);
  ring();
  ring();
  expect(told).toEqual(Array.from({ length: 10 }, (_, i) => `deadline ${i}`));
});

test("an early alarm changes nothing", () => {
  const { agenda, armed, ring, told } = setup();
  agenda.schedule(
    newEntry(() => told.push("fired")),
    1000.001,
  );
  ring();
  expect(told).toEqual([]);
  expect(armed()).toBe(1000.001);
});

test("a deadline that sets itself again while it fires is armed once the turn is over", () => {
  const { agenda, armed, ring } = setup();
  const entry = newEntry((now) => agenda.schedule(entry, now + 500));
  agenda.schedule(entry, 1000);
  ring();
  expect(armed()).toBe(1500);
});

test("when a piece of work throws, what is left is still done", () => {
  const { agenda, armed, ring, told } = setup();
  agenda.soon(() => {
    throw new Error("broken");
  });
  agenda.soon(() => told.push("next"));
  expect(ring).toThrow("broken");
  expect(armed()).toBeLessThanOrEqual(1000);
  ring();
  expect(told).toEqual(["next"]);
});

test("lateness of protocol deadlines is measured", () => {
  const { clock, agenda, ring } = setup();
  for (const at of [999, 997.5]) {
    agenda.schedule(
      newEntry(() => {}),
      at,
    );
  }
  agenda.scheduleBackground(
    newEntry(() => {}),
    1,
  );
  clock.now = 1000;
  ring();
  expect(agenda.lateness.figures).toMatchObject({ timers: 2, total: 3.5, max: 2.5 });
});

test("before an exact deadline the alarm rings early, the entry prepares itself, and the deadline is met", () => {
  const clock = { now: 1000 };
  let at: number | undefined;
  let ring = () => {};
  const agenda = new Agenda(
    // Each look at the clock takes a tenth of a millisecond.
    () => (clock.now += 0.1),
    (expire) => {
      ring = expire;
      return {
        arm: (instant) => {
          at = instant;
        },
        disarm: () => {},
      };
    },
    0.5,
  );
  const told: string[] = [];
  const entry = newEntry(
    (now) => told.push(`fired ${(now - 2000).toFixed(1)} late`),
    (deadline) => told.push(`prepared for ${deadline}`),
  );
  entry.exact = true;
  agenda.schedule(entry, 2000);
  expect(at).toBe(1999.5);
  clock.now = 1999.5;
  ring();
  expect(told).toHaveLength(2);
  expect(told[0]).toBe("prepared for 2000");
  expect(told[1]).toMatch(/^fired 0\.[0-3] late$/);
});

test("an exact deadline that moves while it is prepared is not waited for", () => {
  const { clock, told } = setup();
  let ring = () => {};
  const early = new Agenda(
    () => clock.now,
    (expire) => {
      ring = expire;
      return { arm: () => {}, disarm: () => {} };
    },
    0.5,
  );
  const entry = newEntry(
    () => told.push("fired"),
    () => early.schedule(entry, 5000),
  );
  entry.exact = true;
  early.schedule(entry, 2000);
  clock.now = 1999.6;
  // The clock stands still: waiting would never end.
  ring();
  expect(told).toEqual([]);
  expect(early.lateness.figures.timers).toBe(0);
});

/** In virtual time: what is told when, however long each telling takes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { NotifyQueue } from "../../src/daemon/notify-queue.ts";

/** Tells in its own time: everything that is begun takes `duration`. */
class Teller {
  readonly queue: NotifyQueue<string>;
  readonly log: string[] = [];
  #now = 0;
  readonly #duration: number;
  #ends: { readonly at: number; readonly subject: string }[] = [];

  constructor(limit: number, duration: number) {
    this.queue = new NotifyQueue(limit);
    this.#duration = duration;
  }

  push(subject: string, news: string): void {
    const overtaken = this.queue.push(subject, news);
    if (overtaken !== undefined) this.log.push(`${this.#now} ${subject} never ${overtaken}`);
    this.#begin();
  }

  run(until: number): void {
    for (;;) {
      const next = this.#ends.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) break;
      this.#now = next.at;
      this.#ends = this.#ends.filter((end) => end !== next);
      this.queue.done(next.subject);
      this.#begin();
    }
    this.#now = until;
  }

  #begin(): void {
    for (let next = this.queue.next(); next !== undefined; next = this.queue.next()) {
      this.log.push(`${this.#now} ${next.subject} ${next.news}`);
      this.#ends.push({ at: this.#now + this.#duration, subject: next.subject });
    }
  }
}

test("one at a time in order, as long as nobody is behind", () => {
  const teller = new Teller(10, 5);
  teller.push("web", "backup");
  teller.run(10);
  teller.push("web", "active");
  teller.run(20);
  expect(teller.log).toEqual(["0 web backup", "10 web active"]);
  expect(teller.queue.idle).toBe(true);
});

test("who is behind is told the newest only, after what is being told", () => {
  const teller = new Teller(10, 100);
  teller.push("web", "backup");
  teller.run(10);
  teller.push("web", "active");
  teller.run(20);
  teller.push("web", "fault");
  expect(teller.queue.waiting("web")).toBe("fault");
  teller.run(1000);
  expect(teller.log).toEqual(["0 web backup", "20 web never active", "100 web fault"]);
});

test("the newest is told even when it is what was told last", () => {
  const teller = new Teller(10, 100);
  teller.push("web", "active");
  teller.push("web", "backup");
  teller.push("web", "active");
  teller.run(1000);
  expect(teller.log).toEqual(["0 web active", "0 web never backup", "100 web active"]);
});

test("one that hangs holds up nobody else, and the limit holds for all", () => {
  const teller = new Teller(2, 100);
  for (const subject of ["a", "b", "c", "d"]) teller.push(subject, "backup");
  expect(teller.queue.subjectsWaiting).toEqual(["c", "d"]);
  teller.push("a", "active");
  teller.run(1000);
  expect(teller.log).toEqual(["0 a backup", "0 b backup", "100 c backup", "100 d backup", "200 a active"]);
});

test("whatever happens: never two at once for one subject, never out of order, and the newest is told in the end", () => {
  const step = fc.record({ subject: fc.constantFrom("a", "b", "c"), wait: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), fc.nat(50), (steps, limit, took) => {
      const teller = new Teller(limit, took);
      let now = 0;
      const newest = new Map<string, number>();
      for (const [number, { subject, wait }] of steps.entries()) {
        now += wait;
        teller.run(now);
        teller.push(subject, `${number}`);
        newest.set(subject, number);
      }
      teller.run(100_000);
      for (const subject of ["a", "b", "c"]) {
        const told = teller.log
          .map((line) => line.split(" "))
          .filter(([, name, word]) => name === subject && word !== "never")
          .map(([at, , number]) => [Number(at), Number(number)] as const);
        for (const [i, [at, number]] of told.entries()) {
          const before = told[i - 1];
          if (before !== undefined) {
            expect(at).toBeGreaterThanOrEqual(before[0] + took);
            expect(number).toBeGreaterThan(before[1]);
          }
        }
        expect(told.at(-1)?.[1]).toBe(newest.get(subject));
      }
      expect(teller.queue.idle).toBe(true);
    }),
  );
});

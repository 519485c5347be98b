import { expect, test } from "vitest";
import { Claims } from "../../src/vrrp/claims.ts";
import type { Claimant } from "../../src/vrrp/routing.ts";

class Listener implements Claimant {
  readonly heard: string[] = [];
  held = false;

  changed(place: string, port: number | undefined): void {
    this.heard.push(`${place} ${port}`);
  }

  holds(): boolean {
    return this.held;
  }

  surroundingsChanged(): void {
    this.heard.push("surroundings");
  }
}

const part = { family: 4, table: 100, prefixLength: 24, tos: 0 } as const;

test("a change is told to those who claimed its place, to nobody afterwards", () => {
  const claims = new Claims();
  const [one, two] = [new Listener(), new Listener()];
  expect(claims.add("a", one, part)).toBe(true);
  expect(claims.add("a", two, part)).toBe(false);
  claims.tell("a", 7);
  claims.tell("b", 8);
  claims.remove("a", one);
  claims.tell("a", 9);
  expect([one.heard, two.heard]).toEqual([["a 7"], ["a 7", "a 9"]]);
  claims.remove("a", two);
  expect([claims.size, claims.has("a"), claims.places()]).toEqual([0, false, []]);
});

test("only those who wait hear of links and addresses", () => {
  const claims = new Claims();
  const [one, two] = [new Listener(), new Listener()];
  claims.waits(one, true);
  claims.waits(two, true);
  claims.waits(two, false);
  claims.tellWaiting();
  expect([one.heard, two.heard]).toEqual([["surroundings"], []]);
});

test("a place is held elsewhere when another claimant holds it", () => {
  const claims = new Claims();
  const [one, two] = [new Listener(), new Listener()];
  claims.add("a", one, part);
  claims.add("a", two, part);
  one.held = true;
  expect([claims.isHeldElsewhere("a", one), claims.isHeldElsewhere("a", two)]).toEqual([false, true]);
});

test("each table is listed once, rules in none; and the shapes of routes follow the claims", () => {
  const claims = new Claims();
  const one = new Listener();
  const shape = (prefixLength: number, tos = 0, family: 4 | 6 | undefined = 4) => ({ family, prefixLength, tos });
  expect(claims.concerns(shape(24))).toBe(false);
  claims.add("a", one, part);
  claims.add("b", one, { ...part, prefixLength: 0 });
  claims.add("c", one, { ...part, family: 6, table: 254, prefixLength: 48 });
  claims.add("d", one, undefined);
  expect(claims.filters()).toEqual([
    { family: 4, table: 100 },
    { family: 6, table: 254 },
  ]);
  expect([shape(24), shape(0), shape(48, 0, 6)].map((its) => claims.concerns(its))).toEqual([true, true, true]);
  expect([shape(25), shape(24, 4), shape(48), shape(24, 0, 6)].map((its) => claims.concerns(its))).toEqual([
    false,
    false,
    false,
    false,
  ]);
  claims.remove("a", one);
  expect(claims.concerns(shape(24))).toBe(false);
});

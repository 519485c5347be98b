import { expect, test } from "vitest";
import { Alarms, type BalancerClock } from "../../src/lvs/balancer-clock.ts";
import { Mirror } from "../../src/lvs/mirror.ts";
import { NoteKeeper } from "../../src/lvs/note-keeper.ts";
import { Roster } from "../../src/lvs/roster.ts";

/** Keeps a note that takes that long to write, and tells when it is written while something changes all the time. */
function writesWithin(limit: number, takes: number): number[] {
  let instant = 0;
  let alarm: { readonly at: number; readonly run: () => void } | undefined;
  const clock: BalancerClock = {
    now: () => ({ instant, wall: instant }),
    at: (at, run) => {
      alarm = { at, run };
      return () => {};
    },
    soon: (run) => run(),
  };
  const written: number[] = [];
  const write = () => {
    written.push(instant);
    instant += takes;
    return undefined;
  };
  const note = { read: () => ({ noted: [] }), write };
  const keeper = new NoteKeeper(note, new Roster(new Mirror()), clock, new Alarms(clock), { note: () => {} });
  while (instant < limit) {
    keeper.writeSoon();
    instant = alarm?.at ?? limit;
    alarm?.run();
  }
  return written;
}

test("a note that is written at once is written every second while something changes", () => {
  expect(writesWithin(4000, 0)).toEqual([1000, 2000, 3000, 4000]);
});

test("a note that takes long to write is written seldom", () => {
  expect(writesWithin(20_000, 300)).toEqual([1000, 7300, 13_600, 19_900]);
});

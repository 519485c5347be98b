import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AnnounceState,
  announceAgain,
  beginAnnouncing,
  nextAnnouncement,
  silentAnnouncer,
  takeAnnouncement,
} from "../../src/vrrp/announce.ts";
import type { AnnounceParameters } from "../../src/vrrp/parameters.ts";
import { instance } from "./samples.ts";

const usual: AnnounceParameters = instance().announce;
const quiet: AnnounceParameters = { ...usual, repeat: 1, delay: 0, refresh: 0 };

/** Every instant at which something is sent, when each deadline is met exactly. */
function times(parameters: AnnounceParameters, from: AnnounceState, until: number): number[] {
  const sent: number[] = [];
  let state = from;
  for (let at = nextAnnouncement(state); at !== undefined && at <= until; at = nextAnnouncement(state)) {
    const taken = takeAnnouncement(parameters, state, at);
    if (taken.due) sent.push(at);
    state = taken.state;
  }
  return sent;
}

test("a silent announcer has nothing to do", () => {
  expect(nextAnnouncement(silentAnnouncer)).toBeUndefined();
  expect(takeAnnouncement(usual, silentAnnouncer, 1000).due).toBe(false);
});

test("three rounds within the first second, one after five, then a refresh each minute", () => {
  expect(times(usual, beginAnnouncing(usual, 1000), 130_000)).toEqual([1000, 1250, 1500, 6000, 61_000, 121_000]);
});

test.each([
  [1, [0]],
  [2, [0, 250]],
  [4, [0, 250, 500, 750]],
  [5, [0, 200, 400, 600, 800]],
  [10, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]],
])("a burst of %d rounds stays within a second", (repeat, expected) => {
  expect(times({ ...quiet, repeat }, beginAnnouncing({ ...quiet, repeat }, 0), 10_000)).toEqual(expected);
});

test("becoming active is announced once even when no repetition is wanted", () => {
  expect(times({ ...quiet, repeat: 0 }, beginAnnouncing({ ...quiet, repeat: 0 }, 500), 10_000)).toEqual([500]);
});

test("no delay means no second burst, no refresh means none", () => {
  expect(beginAnnouncing({ ...usual, delay: 0 }, 0).rounds).toEqual([0, 250, 500]);
  expect(beginAnnouncing({ ...usual, refresh: 0 }, 0).refreshAt).toBeUndefined();
});

test("a refresh has as many rounds as it is told", () => {
  const parameters = { ...quiet, refresh: 10_000, refreshRepeat: 3 };
  expect(times(parameters, beginAnnouncing(parameters, 0), 21_000)).toEqual([
    0, 10_000, 10_250, 10_500, 20_000, 20_250, 20_500,
  ]);
});

test("rounds that came due together are one round", () => {
  const state = beginAnnouncing(usual, 0);
  const { due, state: after } = takeAnnouncement(usual, state, 900);
  expect([due, after.rounds]).toEqual([true, [5000]]);
});

test("a foreign router is answered with further rounds; a burst that comes too early waits, and only one does", () => {
  const parameters = { ...quiet, lowerPriorityRepeat: 2 };
  const begun = takeAnnouncement(parameters, beginAnnouncing(parameters, 0), 0).state;
  const again = announceAgain(parameters, begun, 2000, 0);
  expect(again.rounds).toEqual([2000, 2250]);
  const queued = announceAgain(parameters, again, 2999, 0);
  expect(queued.rounds).toEqual([2000, 2250, 3000, 3250]);
  expect(announceAgain(parameters, queued, 2999.5, 0)).toBe(queued);
});

test("without rounds for foreign routers none is added, but an address that was put back is announced", () => {
  const parameters = { ...quiet, lowerPriorityRepeat: 0 };
  const begun = takeAnnouncement(parameters, beginAnnouncing(parameters, 0), 0).state;
  expect(announceAgain(parameters, begun, 2000, 0)).toBe(begun);
  expect(announceAgain(parameters, begun, 2000, 1).rounds).toEqual([2000]);
});

test("a flood of foreign routers cannot make more than one burst a second", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 200 }), (gaps) => {
      let state = takeAnnouncement(quiet, beginAnnouncing(quiet, 0), 0).state;
      let now = 0;
      let rounds = 0;
      for (const gap of gaps) {
        now += gap;
        const next = announceAgain(quiet, state, now, 0);
        if (next !== state) rounds++;
        state = takeAnnouncement(quiet, next, now).state;
      }
      expect(rounds).toBeLessThanOrEqual(Math.floor(now / 1000) + 2);
    }),
  );
});

/** The arithmetic of RFC 9568 section 6.1 and RFC 3768 section 6.1, and what every scenario checks with it. */
import { expect } from "vitest";
import type { Capture } from "./lab-capture.ts";
import type { Advert } from "./lab-frames.ts";

/** Milliseconds. Version 2 skews by seconds, version 3 by the interval. */
export function skewTime(version: 2 | 3, priority: number, interval: number): number {
  return ((256 - priority) * (version === 2 ? 1000 : interval)) / 256;
}

export function downTime(version: 2 | 3, priority: number, interval: number): number {
  return 3 * interval + skewTime(version, priority, interval);
}

/** How late a frame may be seen. */
export function tolerance(interval: number): number {
  return interval >= 1000 ? 50 : interval >= 100 ? 20 : 10;
}

// A timer must not be early; a millisecond covers the difference of two timestamps.
const early = 1;

/** Asserts that `actual` milliseconds lie in [expected - 1, expected + slack]. */
export function expectTime(what: string, actual: number, expected: number, slack: number): void {
  const text = `${what}: ${actual.toFixed(2)} ms, expected ${expected.toFixed(2)} +${slack} ms`;
  expect(actual >= expected - early && actual <= expected + slack, text).toBe(true);
}

/** Asserts that `actual` lies in [low, high]. */
export function expectBetween(what: string, actual: number, low: number, high: number): void {
  const text = `${what}: ${actual.toFixed(2)}, expected ${low.toFixed(2)} to ${high.toFixed(2)}`;
  expect(actual >= low && actual <= high, text).toBe(true);
}

/**
 * The time from the last advert of one router to the first of the next, against the formula.
 * Returns it, for statistics.
 */
export function expectTakeover(
  last: Advert,
  first: Advert,
  expected: number,
  slack = tolerance(first.intervalMs),
): number {
  lateness.push(first.at - last.at - expected);
  expectTime(`takeover of ${first.node} from ${last.node}`, first.at - last.at, expected, slack);
  return first.at - last.at;
}

/**
 * A router's first advert against the time it entered backup, as it says itself. keepalived's log is read late at times,
 * so the lower bound for it is the start of the process.
 */
export async function expectStart(router: Starting, first: Advert, expected: number): Promise<void> {
  const since = await router.entered("web", "backup", 15_000);
  // The status tells whole milliseconds.
  const earliest = router.implementation === "viprd" ? since - 1 : router.child.startedAt;
  expectBetween(
    `first advert of ${first.node}`,
    first.at - since,
    earliest - since + expected - early,
    expected + tolerance(1000),
  );
}

interface Starting {
  readonly implementation: string;
  readonly child: { readonly startedAt: number };
  entered(instance: string, state: "backup", timeout: number): Promise<number>;
}

const lateness: number[] = [];

/** First advert of the new active against the formula, over all takeovers of this test process. */
export function takeoverStatistics(): string {
  const sorted = lateness.toSorted((a, b) => a - b);
  const [least, median, most] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)].map((value) =>
    (value ?? 0).toFixed(3),
  );
  return `${sorted.length} takeovers, late by ${least} ms at least, ${median} ms in the median, ${most} ms at most`;
}

/** A moment after which a node may fall silent: it was stopped, or its link was cut. */
export interface Break {
  readonly node: string;
  readonly at: number;
}

interface Run {
  readonly node: string;
  readonly first: number;
  last: number;
  readonly interval: number;
}

function groups(capture: Capture): Advert[][] {
  const byRouter = new Map<string, Advert[]>();
  for (const advert of capture.adverts()) {
    // Hosts only inject; a forged advert makes no router of them.
    if (!advert.node.startsWith("r")) continue;
    const key = `${advert.family} ${advert.vrid}`;
    byRouter.set(key, [...(byRouter.get(key) ?? []), advert]);
  }
  return [...byRouter.values()];
}

/** C1: spans in which two routers both advertised, longer than the tolerance. */
export function dualActives(capture: Capture): string[] {
  const found: string[] = [];
  for (const adverts of groups(capture)) {
    const runs: Run[] = [];
    for (const advert of adverts) {
      if (advert.priority === 0) continue;
      const current = runs.findLast((run) => run.node === advert.node);
      if (current !== undefined && advert.at - current.last <= 1.5 * current.interval + tolerance(current.interval)) {
        current.last = advert.at;
      } else {
        runs.push({ node: advert.node, first: advert.at, last: advert.at, interval: advert.intervalMs });
      }
    }
    for (const [i, a] of runs.entries()) {
      for (const b of runs.slice(i + 1)) {
        const overlap = Math.min(a.last, b.last) - Math.max(a.first, b.first);
        const allowed = tolerance(Math.min(a.interval, b.interval));
        if (a.node !== b.node && overlap > allowed) found.push(`${a.node} and ${b.node} for ${overlap.toFixed(1)} ms`);
      }
    }
  }
  return found;
}

/** C2: gaps longer than the interval while a router was the only one to advertise and nobody stopped it. */
export function advertGaps(capture: Capture, breaks: readonly Break[], nodes: readonly string[]): string[] {
  const found: string[] = [];
  for (const adverts of groups(capture)) {
    for (const [i, advert] of adverts.entries()) {
      const next = adverts[i + 1];
      if (next === undefined || next.node !== advert.node || advert.priority === 0) continue;
      if (!nodes.includes(advert.node)) continue;
      const gap = next.at - advert.at;
      if (gap <= advert.intervalMs + tolerance(advert.intervalMs)) continue;
      const excused = breaks.some(({ node, at }) => node === advert.node && at >= advert.at - 100 && at <= next.at);
      if (!excused) found.push(`${advert.node} silent for ${gap.toFixed(1)} ms`);
    }
  }
  return found;
}

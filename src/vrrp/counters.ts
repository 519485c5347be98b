/** Counters of one router: RFC 9568's statistics under the names of RFC 6527 and RFC 8347 where they have one. */
import type { Rejection } from "./advertisement.ts";
import type { Counters } from "./status.ts";

export type MutableCounters = { -readonly [Key in Exclude<keyof Counters, "rejected">]: number } & {
  readonly rejected: Partial<Record<Rejection, number>>;
};

export function newCounters(): MutableCounters {
  return {
    became_active: 0,
    released_active: 0,
    adverts_sent: 0,
    adverts_received: 0,
    priority_zero_sent: 0,
    priority_zero_received: 0,
    send_errors: 0,
    interval_errors: 0,
    address_list_errors: 0,
    other_checksum_form: 0,
    own_packets: 0,
    late_timers: 0,
    rejected: {},
  };
}

export function countRejection(into: Partial<Record<Rejection, number>>, name: Rejection): void {
  into[name] = (into[name] ?? 0) + 1;
}

export function copyCounters(counters: MutableCounters): Counters {
  return { ...counters, rejected: { ...counters.rejected } };
}

/** The sums over the families of an instance, but the role was taken and lost once when they did so together. */
export function instanceCounters(all: readonly MutableCounters[]): Counters {
  const sum = newCounters();
  for (const counters of all) {
    for (const [name, value] of Object.entries(counters)) {
      if (typeof value === "number") sum[name as Exclude<keyof Counters, "rejected">] += value;
    }
    for (const [name, value] of Object.entries(counters.rejected)) {
      sum.rejected[name as Rejection] = (sum.rejected[name as Rejection] ?? 0) + value;
    }
  }
  sum.became_active = Math.max(0, ...all.map((counters) => counters.became_active));
  sum.released_active = Math.max(0, ...all.map((counters) => counters.released_active));
  return sum;
}

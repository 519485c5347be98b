/** From one table to another: the order of the operations, and that it may be cut short anywhere. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Placement } from "../../src/lvs/placement.ts";
import { type ActualService, reconcile } from "../../src/lvs/reconcile.ts";
import type { DestinationSettings, Operation } from "../../src/lvs/table.ts";
import { service } from "../support/simulated-balancer.ts";
import { SimulatedIpvs } from "../support/simulated-ipvs.ts";

const settings = { scheduler: "wlc", flags: 0, timeout: 0, netmask: 0xffffffff };
const numbers = [1, 2, 3, 4] as const;

function destination(n: number, weight: number): DestinationSettings {
  return {
    family: 4,
    address: `192.0.2.${n}`,
    port: 80,
    forwarding: { method: "dr" },
    weight,
    upperThreshold: 0,
    lowerThreshold: 0,
  };
}

function placement(n: number, weight: number | null): Placement {
  const { weight: _, ...rest } = destination(n, 0);
  return {
    key: `192.0.2.${n}:80`,
    settings: rest,
    weight,
    datagramWeight: weight,
    onlyWherePresent: false,
    mayStay: false,
  };
}

function actual(weights: ReadonlyMap<number, number>): ActualService {
  return {
    settings,
    destinations: new Map([...weights].map(([n, weight]) => [`192.0.2.${n}:80`, destination(n, weight)])),
  };
}

const short = (operation: Operation) =>
  "settings" in operation && "weight" in operation.settings
    ? `${operation.type} ${operation.settings.address} ${operation.settings.weight}`
    : operation.type;

test("adds, then raises, then lowers, then deletes", () => {
  const before = actual(
    new Map([
      [1, 1],
      [2, 0],
      [3, 5],
    ]),
  );
  const placements = [placement(1, null), placement(2, 3), placement(3, 1), placement(4, 1)];
  const { giving, taking } = reconcile(service(), before, { settings, placements });
  expect(giving.map(short)).toEqual(["add-destination 192.0.2.4 1", "edit-destination 192.0.2.2 3"]);
  expect(taking.map(short)).toEqual(["edit-destination 192.0.2.3 1", "delete-destination"]);
});

test("a service that is missing is added with its servers, and what differs in one that is there is changed", () => {
  const none = { settings: undefined, destinations: new Map() };
  const placements = [placement(1, 1)];
  expect(reconcile(service(), none, { settings, placements }).giving.map(short)).toEqual([
    "add-service",
    "add-destination 192.0.2.1 1",
  ]);
  const other = { ...actual(new Map([[1, 1]])), settings: { ...settings, scheduler: "rr" } };
  expect(reconcile(service(), other, { settings, placements }).giving.map(short)).toEqual(["edit-service"]);
});

test("two servers that are one destination of a service have the larger weight", () => {
  const before = actual(new Map([[1, 1]]));
  for (const placements of [
    [placement(1, 1), placement(1, null)],
    [placement(1, null), placement(1, 1)],
  ]) {
    expect(reconcile(service(), before, { settings, placements })).toEqual({ giving: [], taking: [] });
  }
});

test("cut short anywhere, a service that has a destination before and after has one, and no server that is to stay is gone", () => {
  const weights = fc.dictionary(fc.constantFrom(...numbers.map(String)), fc.constantFrom(0, 1, 5));
  fc.assert(
    fc.property(weights, weights, (from, to) => {
      const before = new Map(Object.entries(from).map(([n, weight]) => [Number(n), weight]));
      const placements = numbers.map((n) => placement(n, to[n] ?? null));
      const { giving, taking } = reconcile(service(), actual(before), { settings, placements });
      const kernel = new SimulatedIpvs();
      kernel.perform({ type: "add-service", service: service(), settings });
      for (const [n, weight] of before) {
        kernel.perform({ type: "add-destination", service: service(), settings: destination(n, weight) });
      }
      const serves = (all: Iterable<number>) => [...all].some((weight) => weight > 0);
      const throughout = serves(before.values()) && serves(Object.values(to));
      for (const operation of [...giving, ...taking]) {
        expect(kernel.perform(operation)).toBeUndefined();
        const now = kernel.table.get("tcp 192.0.2.10:80")?.destinations.map((each) => each.settings) ?? [];
        if (throughout) expect(serves(now.map(({ weight }) => weight))).toBe(true);
        const there = new Set(now.map(({ address }) => address));
        const stays = [...before.keys()].filter((n) => to[n] !== undefined);
        expect(stays.filter((n) => !there.has(`192.0.2.${n}`))).toEqual([]);
      }
      const end = kernel.table.get("tcp 192.0.2.10:80")?.destinations.map((each) => each.settings) ?? [];
      expect(Object.fromEntries(end.map(({ address, weight }) => [address.split(".")[3], weight]))).toEqual(to);
    }),
  );
});

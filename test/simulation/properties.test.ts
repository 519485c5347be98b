/**
 * What must hold whatever happens: random schedules of faults on a LAN of up to four routers, then a quiet network.
 * RUNS=5000 explores further; a failure prints the seed and the smallest schedule that shows it.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { InstanceParameters } from "../../src/vrrp/parameters.ts";
import { activeDownInterval, skewTime } from "../../src/vrrp/timing.ts";
import { compareAddresses } from "../../src/wire/address.ts";
import { address } from "../support/packets.ts";
import { SimulatedKernel } from "../support/simulated-kernel.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { dualStack } from "../vrrp/samples.ts";

const { RUNS } = process.env;
const explore = RUNS === undefined ? { seed: 20_240_430 } : { numRuns: Number(RUNS) };

const faults = ["start", "stop", "crash", "pause", "resume", "down", "up", "unplug", "plug"] as const;
type Fault =
  | { readonly what: (typeof faults)[number]; readonly which: number }
  | { readonly what: "partition"; readonly groups: readonly number[] }
  | { readonly what: "loss"; readonly loss: number };

interface Setting {
  readonly seed: number;
  readonly routers: readonly Partial<InstanceParameters>[];
  readonly schedule: readonly { readonly wait: number; readonly fault: Fault }[];
}

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constantFrom(...faults), which: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant("partition" as const),
      groups: fc.array(fc.nat(1), { minLength: 4, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("loss" as const), loss: fc.constantFrom(0.1, 0.5, 0.9) }) },
);

function settings(
  common: fc.Arbitrary<Partial<InstanceParameters>>,
  priorities: readonly number[],
): fc.Arbitrary<Setting> {
  return fc
    .record({
      seed: fc.nat(1_000_000),
      common,
      priorities: fc.array(fc.constantFrom(...priorities), { minLength: 2, maxLength: 4 }),
      schedule: fc.array(fc.record({ wait: fc.integer({ min: 0, max: 5000 }), fault }), { maxLength: 25 }),
    })
    .map(({ seed, common, priorities, schedule }) => ({
      seed,
      routers: priorities.map((priority) => ({ ...common, priority })),
      schedule,
    }));
}

const one = fc.record({
  version: fc.constantFrom(2 as const, 3 as const),
  preemptDelay: fc.constantFrom(0, 0, 2000),
});
const fast = fc.record({
  advertisementInterval: fc.constantFrom(10, 100),
  preemptDelay: fc.constantFrom(0, 0, 200),
  lease: fc.constant(1000),
});
const dual = fc.constantFrom(100, 1000).map((advertisementInterval) => dualStack({ advertisementInterval }));

function prepare({ seed, routers }: Setting): Lab {
  const lab = new Lab(seed);
  for (const [i, changes] of routers.entries()) {
    // The higher IPv4 address may go with the lower link-local address.
    const linkLocal = seed % 2 === 0 ? 11 + i : 99 - i;
    const node = lab.add(new SimulatedKernel(`r${i}`, 11 + i, lab.lan, `fe80::${linkLocal}`), changes);
    // A kernel that is quick, but never twice the same.
    node.delays = { timer: () => lab.time.between(0, 0.3), wake: () => lab.time.between(0, 0.1) };
  }
  return lab;
}

function apply(lab: Lab, fault: Fault): void {
  if (fault.what === "partition") {
    const groups = [0, 1].map((side) => lab.nodes.filter((_, i) => fault.groups[i] === side).map(({ name }) => name));
    lab.lan.partition(...groups);
    return;
  }
  if (fault.what === "loss") {
    lab.lan.quality = { loss: fault.loss };
    return;
  }
  const node = lab.nodes[fault.which % lab.nodes.length];
  if (node === undefined) return;
  if (fault.what === "start") node.start();
  if (fault.what === "stop") node.stop();
  if (fault.what === "crash") node.crash();
  if (fault.what === "pause") node.pause();
  if (fault.what === "resume") node.resume();
  if (fault.what === "down" || fault.what === "up") node.kernel.setUp(fault.what === "up");
  if (fault.what === "unplug" || fault.what === "plug") node.kernel.setCarrier(fault.what === "plug");
}

function disturb(lab: Lab, schedule: Setting["schedule"]): void {
  // Waits are meant for an interval of a second; a faster network is disturbed faster.
  const scale = Math.max(...lab.nodes.map(({ parameters }) => parameters.advertisementInterval)) / 1000;
  for (const { wait, fault } of schedule) {
    lab.run(wait * scale);
    apply(lab, fault);
  }
}

/** Every fault is mended. At least one router runs. */
function mend(lab: Lab): void {
  lab.lan.heal();
  lab.lan.quality = { loss: 0 };
  for (const node of lab.nodes) {
    node.resume();
    node.kernel.setUp(true);
    node.kernel.setCarrier(true);
  }
  if (!lab.nodes.some(({ running }) => running)) lab.start();
}

function down({ parameters: { version, priority, advertisementInterval } }: Node): number {
  return activeDownInterval(version, priority, advertisementInterval);
}

/** Long enough for every timer that can be running: duplicate address detection, a delay, two Active_Down_Intervals. */
function quiet(lab: Lab): void {
  lab.run(1100 + Math.max(...lab.nodes.map((node) => 2 * down(node) + node.parameters.preemptDelay)));
}

function best(lab: Lab): number {
  return Math.max(...lab.nodes.filter(({ running }) => running).map(({ parameters }) => parameters.priority));
}

function theActive(lab: Lab): Node {
  const active = lab.nodes.filter(({ state }) => state === "active");
  expect(lab.actives).toHaveLength(1);
  if (active[0] === undefined) throw new Error("nobody is active");
  return active[0];
}

function expectAddressesOnlyOnTheActive(lab: Lab): void {
  for (const node of lab.nodes) {
    const all = node.parameters.virtualAddresses.map(({ address }) => address);
    expect([node.name, node.held]).toEqual([node.name, node.state === "active" ? all : []]);
  }
}

/** Nothing moves, and exactly one router advertises, in its own rhythm. */
function expectStable(lab: Lab): void {
  const before = lab.nodes.map(({ transitions }) => transitions.length);
  const active = theActive(lab);
  const from = lab.now;
  const duration = 20 * active.parameters.advertisementInterval;
  lab.run(duration);
  expect(lab.nodes.map(({ transitions }) => transitions.length)).toEqual(before);
  const sent = lab.adverts({ from, family: 4 });
  expect(new Set(sent.map(({ node }) => node))).toEqual(new Set([active.name]));
  expect(Math.abs(sent.length - duration / active.parameters.advertisementInterval)).toBeLessThanOrEqual(1);
}

/** At every instant of the schedule: no backup that hears and is heard has an address. */
function watchAddresses(lab: Lab): void {
  const virtual = (lab.nodes[0]?.parameters.virtualAddresses ?? []).map((entry) => address(entry.address));
  lab.time.settled.push(() => {
    for (const node of lab.nodes) {
      if (node.state !== "backup" || node.host.paused || !node.kernel.connected) continue;
      if (virtual.some((bytes) => node.kernel.owns(bytes)))
        throw new Error(`${node.name} is backup and has ${node.held}`);
    }
  });
}

const kinds = [
  ["one family, either version", one],
  ["intervals of 10 and 100 ms", fast],
  ["both families together", dual],
] as const;

describe.each(kinds)("%s", (_, common) => {
  const priorities = [1, 100, 100, 150, 254];

  test("when the network is quiet, exactly one router is active: one of those with the highest priority", () => {
    fc.assert(
      fc.property(settings(common, priorities), (setting) => {
        const lab = prepare(setting);
        watchAddresses(lab);
        disturb(lab, setting.schedule);
        mend(lab);
        quiet(lab);
        expect(theActive(lab).parameters.priority).toBe(best(lab));
        lab.run((lab.nodes[0]?.parameters.lease ?? 0) + 100);
        expectAddressesOnlyOnTheActive(lab);
        expectStable(lab);
      }),
      { numRuns: 30, ...explore },
    );
  });

  test("without preemption nobody moves while the active router lives", () => {
    const stubborn = common.map((changes) => ({ ...changes, preempt: false }));
    fc.assert(
      fc.property(settings(stubborn, priorities), (setting) => {
        const lab = prepare(setting);
        disturb(lab, setting.schedule);
        mend(lab);
        quiet(lab);
        const active = theActive(lab);
        lab.start();
        lab.run(1100);
        expectStable(lab);
        expect(lab.actives).toEqual([active.name]);
      }),
      { numRuns: 20, ...explore },
    );
  });

  test("a stop hands over within the skew of the next router", () => {
    fc.assert(
      fc.property(settings(common, [50, 100, 150, 200]), (setting) => {
        const lab = prepare(setting);
        disturb(lab, setting.schedule);
        mend(lab);
        lab.start();
        quiet(lab);
        const former = theActive(lab);
        const at = lab.now;
        former.stop();
        expect(former.held).toEqual([]);
        const rest = lab.nodes.filter(({ running }) => running);
        const next = Math.max(...rest.map(({ parameters }) => parameters.priority));
        const { version, advertisementInterval } = former.parameters;
        lab.run(skewTime(version, next, advertisementInterval) + 1);
        expect(lab.adverts({ node: former.name, from: at }).every(({ priority }) => priority === 0)).toBe(true);
        expect(theActive(lab).parameters.priority).toBe(next);
        expectStable(lab);
      }),
      { numRuns: 20, ...explore },
    );
  });
});

test("in every part of a divided network one router is active, and a healed network has one within an interval", () => {
  fc.assert(
    fc.property(
      settings(one, [50, 100, 100, 200]),
      fc.array(fc.nat(1), { minLength: 4, maxLength: 4 }),
      (setting, sides) => {
        const lab = prepare(setting);
        lab.start();
        lab.run(5000);
        apply(lab, { what: "partition", groups: sides });
        lab.run(10_000);
        for (const side of [0, 1]) {
          const part = lab.nodes.filter((_, i) => sides[i] === side);
          const active = part.filter(({ state }) => state === "active");
          if (part.length === 0) continue;
          expect(active).toHaveLength(1);
          expect(active[0]?.parameters.priority).toBe(Math.max(...part.map(({ parameters }) => parameters.priority)));
        }
        const rivals = lab.nodes.filter(({ state }) => state === "active");
        rivals.sort((a, b) => {
          const byPriority = b.parameters.priority - a.parameters.priority;
          return byPriority !== 0 ? byPriority : compareAddresses(source(b), source(a));
        });
        lab.lan.heal();
        lab.run(1001);
        expect(lab.actives).toEqual([rivals[0]?.name]);
        expectStable(lab);
      },
    ),
    { numRuns: 60, ...explore },
  );
});

function source({ status }: Node): Uint8Array {
  return address(status.routers[0]?.source ?? "");
}

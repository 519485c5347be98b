import { describe, expect, test } from "vitest";
import { forge, forged4, forged6 } from "../support/simulated-forger.ts";
import { SimulatedKernel } from "../support/simulated-kernel.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { dualStack } from "../vrrp/samples.ts";

const all = ["192.0.2.1", "fe80::51", "2001:db8::51"];

function pair(): { lab: Lab; best: Node; other: Node } {
  const lab = new Lab();
  const best = lab.node("best", 11, dualStack({ priority: 200 }));
  const other = lab.node("other", 12, dualStack());
  lab.start();
  lab.run(10_400);
  return { lab, best, other };
}

test("both families start, advertise and hold their addresses together", () => {
  const { lab, best, other } = pair();
  const first = lab.adverts().slice(0, 2);
  expect(first.map(({ family }) => family).sort()).toEqual([4, 6]);
  expect((first[1]?.at ?? 0) - (first[0]?.at ?? 0)).toBeLessThan(0.001);
  expect([best.held, other.held]).toEqual([all, []]);
  expect(best.transitions.map(({ to }) => to)).toEqual(["backup", "active"]);
  expect(first.map(({ destination }) => destination).sort()).toEqual(["224.0.0.18", "ff02::12"]);
  expect(lab.adverts({ family: 6 })[0]).toMatchObject({ source: "fe80::b", ttl: 255, count: 2 });
});

test("a crash moves both at the same moment", () => {
  const { lab, best, other } = pair();
  best.crash();
  lab.run(3428);
  expect(other.held).toEqual([]);
  lab.run(1);
  expect(other.held).toEqual(all);
  expect(other.transitions.map(({ to }) => to)).toEqual(["backup", "active"]);
});

test("a stop moves both within the skew", () => {
  const { lab, best, other } = pair();
  best.stop();
  expect(
    lab
      .adverts({ priority: 0 })
      .map(({ family }) => family)
      .sort(),
  ).toEqual([4, 6]);
  lab.run(610);
  expect([best.held, other.held]).toEqual([[], all]);
});

test.each([4, 6] as const)(
  "when only IPv%d is cut nothing moves, and it is told that the backup is waiting",
  (family) => {
    const { lab, best, other } = pair();
    lab.lan.cut("best", "other", family);
    lab.run(60_000);
    expect(lab.actives).toEqual(["best"]);
    expect([best.held, other.held]).toEqual([all, []]);
    expect(lab.adverts({ node: "other" })).toEqual([]);
    const waiting = other.host.logs.map(({ message }) => message).filter((message) => /waiting for/.test(message));
    expect(waiting[0]).toContain(`waiting for IPv${family === 4 ? 6 : 4}`);
    lab.lan.mend("best", "other", family);
    lab.run(60_000);
    expect(other.transitions).toHaveLength(1);
    lab.lan.cut("best", "other", family);
    lab.run(10_000);
    best.crash();
    lab.run(3611);
    expect(other.held).toEqual(all);
  },
);

test("one family that loses its address on the active router takes the other one with it", () => {
  const { lab, best, other } = pair();
  best.kernel.deleteByHand("fe80::b");
  lab.run(1);
  expect([best.state, best.held]).toEqual(["initialize", []]);
  expect(best.status.reasons).toEqual(["interface eth0 has no IPv6 link-local address"]);
  expect(lab.adverts({ priority: 0 })).toHaveLength(2);
  lab.run(610);
  expect(other.held).toEqual(all);
  best.kernel.addByHand("fe80::b", 64);
  lab.run(3220);
  expect([best.held, other.held]).toEqual([all, []]);
});

test("a higher priority heard in one family only makes both give way, and both come back together", () => {
  const { lab, best, other } = pair();
  forge(lab, { ...forged6, priority: 255 });
  const forged = lab.now;
  lab.run(1);
  expect([best.state, best.held]).toEqual(["backup", []]);
  lab.run(20_000);
  expect(lab.actives).toEqual(["best"]);
  expect(best.held).toEqual(all);
  expect((best.transitions.at(-1)?.at ?? 0) - forged).toBeLessThan(3220);
  expect(other.held).toEqual([]);
});

test("the reason told for both is what the first of them heard", () => {
  for (const fields of [forged4, forged6]) {
    const { lab, best } = pair();
    forge(lab, { ...fields, priority: 255 });
    lab.run(1);
    expect(best.transitions.at(-1)).toMatchObject({
      to: "backup",
      reason: expect.stringMatching(/^(192\.0\.2\.100|fe80::64) has priority 255, above our 200$/),
    });
  }
});

/** The tie-break says "a" in one family and "b" in the other. */
function crossed(seed: number): Lab {
  const lab = new Lab(seed);
  lab.add(new SimulatedKernel("a", 11, lab.lan, "fe80::99"), dualStack());
  lab.add(new SimulatedKernel("b", 12, lab.lan, "fe80::11"), dualStack());
  for (const node of lab.nodes) node.delays = { timer: () => lab.time.between(0, 0.2), wake: () => 0.02 };
  return lab;
}

describe("equal priorities whose tie-breaks contradict each other", () => {
  test("cold start: one router remains within a moment, and then nothing moves", () => {
    let undecided = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const lab = crossed(seed);
      lab.start();
      lab.run(3609.375 + 1100);
      if (lab.actives.length !== 1) undecided++;
      lab.run(20_000);
      expect(lab.actives).toHaveLength(1);
      const before = lab.nodes.map(({ transitions }) => transitions.length);
      lab.run(20_000);
      expect(lab.nodes.map(({ transitions }) => transitions.length)).toEqual(before);
    }
    expect(undecided).toBe(0);
  });

  test("a healed partition: one router remains within an interval", () => {
    let undecided = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const lab = crossed(seed);
      lab.start();
      lab.lan.partition(["a"], ["b"]);
      lab.run(10_000 + seed * 25);
      lab.lan.heal();
      lab.run(1010);
      if (lab.actives.length !== 1) undecided++;
    }
    expect(undecided).toBe(0);
  });
});

test("a tie heard in IPv6 alone is left open for three intervals, then it is decided after all", () => {
  const lab = crossed(1);
  lab.start();
  lab.lan.partition(["a"], ["b"]);
  lab.run(10_000);
  lab.lan.heal();
  lab.lan.cut("a", "b", 4);
  lab.lan.cut("b", "a", 4);
  lab.run(2900);
  expect(lab.actives).toEqual(["a", "b"]);
  lab.run(2200);
  // The higher link-local address.
  expect(lab.actives).toEqual(["a"]);
  lab.run(30_000);
  expect(lab.actives).toEqual(["a"]);
});

test("the address owner holds both families from its start", () => {
  const lab = new Lab();
  const owner = lab.node("owner", 11, dualStack({ priority: 255 }));
  owner.start();
  lab.run(1);
  expect(owner.state).toBe("active");
  expect(owner.held).toEqual(all);
  expect(owner.transitions.map(({ to }) => to)).toEqual(["active"]);
});

test("no family runs alone when the sockets of the other cannot be opened", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, dualStack());
  node.kernel.setCarrier(false);
  node.start();
  const { host } = node;
  const openChannel = host.openChannel.bind(host);
  host.openChannel = (link, family, receiver) => {
    if (family === 6) throw new Error("raw socket for VRRP over IPv6 on eth0: ENOBUFS");
    return openChannel(link, family, receiver);
  };
  node.kernel.setCarrier(true);
  lab.run(20_000);
  expect(node.state).toBe("initialize");
  expect(node.status.routers.map(({ state }) => state)).toEqual(["initialize", "initialize"]);
  expect(node.status.reasons).toEqual(["raw socket for VRRP over IPv6 on eth0: ENOBUFS"]);
  expect([lab.adverts(), node.held]).toEqual([[], []]);
});

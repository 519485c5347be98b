/** Other hosts that have one of the addresses: found when it is claimed, and as long as it is held. */
import { expect, test } from "vitest";
import { address } from "../support/packets.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { dualStack } from "../vrrp/samples.ts";

const stranger = Uint8Array.of(2, 0, 0, 0, 0, 0x99);

function conflicts(node: Node): string[] {
  return node.host.events.flatMap((event) => (event.type === "conflict" ? [event.message] : []));
}

function pair(lab = new Lab()): { lab: Lab; best: Node; other: Node } {
  const best = lab.node("best", 11, { priority: 200 });
  const other = lab.node("other", 12);
  lab.start();
  lab.run(10_000);
  return { lab, best, other };
}

test("an active router tells the address, the MAC and the interface of another host that claims it, not each time", () => {
  const { lab, best, other } = pair();
  for (let i = 0; i < 50; i++) {
    lab.lan.claim("host", address("192.0.2.1"), stranger);
    lab.run(1000);
  }
  expect(conflicts(best)).toEqual(["192.0.2.1 is claimed by 02:00:00:00:00:99 on eth0 as well"]);
  expect(best.status.duplicates).toMatchObject([
    { address: "192.0.2.1", mac: "02:00:00:00:00:99", interface: "eth0", count: 50, relieved: false },
  ]);
  lab.run(12_000);
  lab.lan.claim("host", address("192.0.2.1"), stranger);
  lab.run(300);
  expect(conflicts(best)).toHaveLength(2);
  // A backup has no address that could be claimed, and the role does not depend on it.
  expect([conflicts(other), lab.actives]).toEqual([[], ["best"]]);
});

test("of many invented hosts sixteen are remembered, and one is told each second", () => {
  const { lab, best } = pair();
  for (let i = 0; i < 1000; i++) {
    lab.lan.claim("host", address("192.0.2.1"), Uint8Array.of(2, 0, 0, 1, i >> 8, i & 255));
    lab.run(5);
  }
  expect(best.status.duplicates).toHaveLength(16);
  expect(conflicts(best).length).toBeLessThanOrEqual(6);
  expect(conflicts(best).at(-1)).toMatch(/\(and \d+ more claims\)$/);
});

test("a takeover from a dead host finds nobody: it asked before it was due and again when it was settled", () => {
  const { lab, best, other } = pair();
  best.crash();
  best.kernel.setUp(false);
  const crashed = lab.adverts({ node: "best" }).at(-1)?.at ?? 0;
  lab.run(10_000);
  const takeover = lab.adverts({ node: "other" })[0]?.at ?? 0;
  expect(takeover - crashed).toBeCloseTo(3609.375, 0);
  const asked = lab.lan.probes
    .filter(({ node, at }) => node === "other" && at > crashed)
    .map(({ at, address }) => [address, at]);
  expect(asked).toEqual([
    ["192.0.2.11", expect.closeTo(crashed + 2500, 0)],
    ["192.0.2.1", expect.closeTo(crashed + 2500, 0)],
    ["192.0.2.1", expect.closeTo(takeover + 1000, 0)],
  ]);
  expect([conflicts(other), other.status.duplicates]).toEqual([[], []]);
});

test("a host whose process died and that still has the address is told as the router that was relieved", () => {
  const lab = new Lab();
  const best = lab.node("best", 11, { priority: 200, lease: 60_000 });
  const other = lab.node("other", 12);
  lab.start();
  lab.run(10_000);
  best.crash();
  lab.run(10_000);
  expect(other.state).toBe("active");
  expect(conflicts(other)).toEqual([
    "192.0.2.1 is claimed by the router that was relieved, 02:00:00:00:00:0b, on eth0 as well",
  ]);
  expect(other.status.duplicates).toMatchObject([{ relieved: true }]);
  expect(other.host.addressClaims.watched).toEqual(["192.0.2.1"]);
});

test("who answers beside the router that is relieved is told as soon as the takeover is settled", () => {
  const lab = new Lab();
  const best = lab.node("best", 11, { priority: 200 });
  const other = lab.node("other", 12);
  const third = lab.add(lab.node("third", 13).kernel, { vrid: 99, virtualAddresses: [] });
  third.kernel.addByHand("192.0.2.1", 24);
  lab.start(best, other);
  lab.run(10_000);
  best.crash();
  best.kernel.deleteByHand("192.0.2.1");
  lab.run(10_000);
  expect(conflicts(other)[0]).toBe(
    "192.0.2.1 is claimed by 02:00:00:00:00:0d on eth0 as well; it answered before this router became active",
  );
});

test("preemption, a farewell and a partition that heals are no duplicates", () => {
  const { lab, best, other } = pair();
  best.stop();
  lab.run(5000);
  best.start();
  lab.run(10_000);
  expect(lab.actives).toEqual(["best"]);
  expect([conflicts(best), conflicts(other)]).toEqual([[], []]);
});

test("IPv6 addresses are asked for and watched as well", () => {
  const lab = new Lab();
  const node = lab.node("node", 11, dualStack());
  lab.start();
  lab.run(10_000);
  expect(lab.lan.probes.map(({ address }) => address)).toEqual(expect.arrayContaining(["fe80::51", "192.0.2.1"]));
  lab.lan.claim("host", address("fe80::51"), stranger);
  lab.run(300);
  expect(conflicts(node)).toEqual(["fe80::51 is claimed by 02:00:00:00:00:99 on eth0 as well"]);
});

test("a loop that brings back our own announcement is no duplicate", () => {
  const { lab, best } = pair();
  best.kernel.claim(address("192.0.2.1"), best.kernel.mac);
  lab.run(300);
  expect(conflicts(best)).toEqual([]);
});

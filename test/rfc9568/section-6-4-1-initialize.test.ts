/** RFC 9568 section 6.4.1: the state in which nothing runs. */
import { expect, test } from "vitest";
import { forge, forged4 } from "../support/simulated-forger.ts";
import { Lab } from "../support/simulated-lab.ts";
import { dualStack } from "../vrrp/samples.ts";

test("6.4.1: the address owner advertises, announces every address and is active, at its startup", () => {
  const lab = new Lab();
  const owner = lab.node("owner", 11, dualStack({ priority: 255 }));
  lab.start();
  lab.run(0.001);
  expect(owner.state).toBe("active");
  expect(lab.adverts().map(({ family, priority }) => [family, priority])).toEqual([
    [4, 255],
    [6, 255],
  ]);
  expect(lab.lan.announcements.map(({ address }) => address)).toEqual(["192.0.2.1", "fe80::51", "2001:db8::51"]);
  lab.run(1000);
  expect(lab.adverts()).toHaveLength(4);
});

test("6.4.1: the address owner does not look at preemption", () => {
  const lab = new Lab();
  const other = lab.node("other", 12, { preempt: false });
  const owner = lab.node("owner", 11, { priority: 255, preempt: false });
  other.start();
  lab.run(5000);
  owner.start();
  lab.run(1);
  expect(lab.actives).toEqual(["owner"]);
});

test("6.4.1: every other router becomes backup and sends nothing", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, dualStack({ priority: 254 }));
  lab.start();
  lab.run(3007);
  expect(node.state).toBe("backup");
  expect([lab.adverts(), lab.lan.announcements, node.held]).toEqual([[], [], []]);
});

test("6.4.1: in initialize what is received changes nothing, and no timer runs", () => {
  const lab = new Lab();
  const node = lab.node("a", 11);
  lab.start();
  node.kernel.deleteByHand("192.0.2.11");
  lab.run(1);
  expect(node.state).toBe("initialize");
  for (const priority of [0, 1, 100, 254]) forge(lab, { ...forged4, priority });
  lab.run(60_000);
  expect(node.state).toBe("initialize");
  expect(node.status.routers[0]).toMatchObject({ timer_ms: null, source: null, up_since: null });
  expect(lab.adverts({ node: "a" })).toEqual([]);
});

test("6.4: without an address of its own, a carrier or an interface there is no startup, and the reason is told", () => {
  const lab = new Lab();
  const node = lab.node("a", 11);
  node.kernel.setCarrier(false);
  node.kernel.deleteByHand("192.0.2.11");
  lab.start();
  expect(node.status.reasons).toEqual(["interface eth0 has no carrier", "interface eth0 has no IPv4 address"]);
  node.kernel.setCarrier(true);
  lab.run(1);
  expect(node.status.reasons).toEqual(["interface eth0 has no IPv4 address"]);
  node.kernel.addByHand("192.0.2.11", 24);
  lab.run(1);
  expect([node.state, node.status.reasons]).toEqual(["backup", []]);
});

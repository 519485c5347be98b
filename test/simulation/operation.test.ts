/** Whole runs: what is counted and told agrees with what was on the wire; many routers; a mixed network. */
import { expect, test } from "vitest";
import { forge, forged4 } from "../support/simulated-forger.ts";
import { Lab } from "../support/simulated-lab.ts";
import { instance, virtualAddress } from "../vrrp/samples.ts";

test("counters, transitions and reasons agree with the capture", () => {
  const lab = new Lab();
  const [a, b] = [lab.node("a", 11, { priority: 200 }), lab.node("b", 12)];
  lab.start();
  lab.run(10_000);
  forge(lab, { ...forged4, priority: 254 }, 254);
  lab.run(10_000);
  a.kernel.setCarrier(false);
  lab.run(5000);
  a.kernel.setCarrier(true);
  lab.run(10_000);
  for (const node of [a, b]) {
    const { counters } = node.status;
    const sent = lab.adverts({ node: node.name });
    // The farewell into a cable that is unplugged is on no wire.
    const lost = node === a ? 1 : 0;
    expect(counters.adverts_sent).toBe(sent.length + lost);
    expect(counters.became_active).toBe(node.transitions.filter(({ to }) => to === "active").length);
    expect(counters.released_active).toBe(1);
    expect(counters.priority_zero_sent).toBe(lost);
    expect(counters.rejected).toEqual({ ttl: 1 });
    expect(node.status.transitions.map(({ to, reason }) => [to, reason])).toEqual(
      node.transitions.map(({ to, reason }) => [to, reason]),
    );
  }
  const heardByB = lab.adverts({ node: "a" }).length;
  expect(b.status.counters.adverts_received).toBe(heardByB);
  expect(a.transitions.map(({ to, reason }) => `${to}: ${reason}`)).toEqual([
    "backup: everything it needs is there",
    "active: no advertisement from anybody for 3.22 s",
    "initialize: interface eth0 has no carrier",
    "backup: everything it needs is there",
    "active: preempting 192.0.2.12: its priority 100 is below our 200",
  ]);
});

test("a hundred virtual routers on one interface are taken over together, each in time", () => {
  const lab = new Lab();
  const instances = (priority: number) =>
    Array.from({ length: 100 }, (_, i) =>
      instance({
        name: `r${i}`,
        vrid: i + 1,
        priority,
        virtualAddresses: [virtualAddress(`198.51.100.${i + 1}`, { prefixLength: 32 })],
      }),
    );
  const [best, other] = [lab.node("best", 11, ...instances(200)), lab.node("other", 12, ...instances(100))];
  lab.start();
  lab.run(10_000);
  expect(best.kernel.addresses().filter((text) => text.startsWith("198."))).toHaveLength(100);
  best.crash();
  const last = new Map(lab.adverts({ node: "best" }).map(({ vrid, at }) => [vrid, at]));
  lab.run(5000);
  const first = new Map(
    lab
      .adverts({ node: "other" })
      .toReversed()
      .map(({ vrid, at }) => [vrid, at]),
  );
  expect(first.size).toBe(100);
  for (const [vrid, at] of first) expect(at - (last.get(vrid) ?? 0)).toBeCloseTo(3609.375, 0);
  expect(other.kernel.addresses().filter((text) => text.startsWith("198."))).toHaveLength(100);
});

test("a takeover of many addresses leaves the advertisements of other routers in time", () => {
  const lab = new Lab();
  const many = Array.from({ length: 255 }, (_, i) => virtualAddress(`198.51.100.${i}`, { prefixLength: 32 }));
  const second = { name: "second", vrid: 52, virtualAddresses: many };
  const [a, b] = [
    lab.node("a", 11, { priority: 200, advertisementInterval: 10 }, { ...second, priority: 100 }),
    lab.node("b", 12, { priority: 100, advertisementInterval: 10 }, { ...second, priority: 200 }),
  ];
  lab.start();
  lab.run(5000);
  b.crash();
  const from = lab.now;
  lab.run(4000);
  expect(a.kernel.addresses().length).toBeGreaterThan(256);
  const times = lab.adverts({ node: "a", vrid: 51, from }).map(({ at }) => at);
  for (const [i, at] of times.entries()) if (i > 0) expect(at - (times[i - 1] ?? 0)).toBeCloseTo(10, 6);
});

test("a router that may speak either checksum form settles on the one its peer speaks", () => {
  for (const form of ["message", "pseudo_header"] as const) {
    const lab = new Lab();
    const strict = { checksumSend: form, checksumReceive: form } as const;
    const [auto, peer] = [lab.node("auto", 11, { priority: 150 }), lab.node("peer", 12, { ...strict, priority: 200 })];
    lab.start();
    lab.run(5000);
    peer.stop();
    lab.run(5000);
    peer.start();
    lab.run(2000);
    expect(lab.actives).toEqual(["auto"]);
    expect(peer.status.counters.rejected).toEqual({});
    lab.run(5000);
    expect(lab.actives).toEqual(["peer"]);
    expect(auto.status.counters.rejected).toEqual({});
  }
});

test("logs and events stay few while two routers cannot agree", () => {
  const lab = new Lab();
  const nodes = [lab.node("a", 11, { version: 2 }), lab.node("b", 12)];
  lab.start();
  lab.run(600_000);
  for (const { host } of nodes) expect(host.events.length + host.logs.length).toBeLessThanOrEqual(605);
});

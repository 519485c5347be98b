import { expect, test } from "vitest";
import { forge, forged4 } from "../support/simulated-forger.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import type { instance } from "../vrrp/samples.ts";

function pair(changes: Parameters<typeof instance>[0] = {}, minTtl = 255): { lab: Lab; best: Node; other: Node } {
  const lab = new Lab();
  const peer = (address: string) => ({ unicastPeers: [{ address, minTtl, maxTtl: 255 }], ...changes });
  const best = lab.node("best", 11, { ...peer("192.0.2.12"), priority: 200 });
  const other = lab.node("other", 12, peer("192.0.2.11"));
  lab.start();
  lab.run(10_400);
  return { lab, best, other };
}

test("two routers with each other as peers elect as over multicast, and send nothing to the group", () => {
  const { lab, best, other } = pair();
  expect(lab.actives).toEqual(["best"]);
  expect(lab.adverts()[0]?.at).toBeCloseTo(3218.75, 6);
  best.stop();
  lab.run(5000);
  expect(lab.takeover(best, other)).toBeCloseTo(609.375, 0);
  best.start();
  lab.run(5000);
  best.crash();
  lab.run(5000);
  expect(lab.takeover(best, other)).toBeCloseTo(3609.375, 0);
  expect(new Set(lab.adverts().map(({ destination }) => destination))).toEqual(new Set(["192.0.2.11", "192.0.2.12"]));
});

test("multicast is refused, and so is unicast from anybody who is no peer", () => {
  const { lab, best, other } = pair();
  forge(lab, { ...forged4, priority: 255 });
  lab.run(1);
  expect(best.status.counters.rejected).toEqual({ destination: 1 });
  for (const node of ["11", "12"]) {
    forge(lab, { ...forged4, priority: 255, destination: Uint8Array.of(192, 0, 2, Number(node)) });
  }
  lab.run(5000);
  expect(best.status.counters.rejected).toEqual({ destination: 1, source: 1 });
  expect([best.transitions.length, other.transitions.length]).toEqual([2, 1]);
});

test("an advertisement to several peers counts once", () => {
  const lab = new Lab();
  const peers = ["192.0.2.12", "192.0.2.13"].map((address) => ({ address, minTtl: 255, maxTtl: 255 }));
  const node = lab.node("a", 11, { unicastPeers: peers });
  lab.start();
  lab.run(3610);
  expect(lab.adverts()).toHaveLength(2);
  expect(node.status.counters.adverts_sent).toBe(1);
});

test("the TTL is sent as configured and judged by the range of the peer", () => {
  const { lab, other } = pair({ unicastTtl: 64 });
  expect(lab.adverts()[0]?.ttl).toBe(64);
  expect(other.status.counters.rejected).toMatchObject({ ttl: expect.any(Number) });
  const routed = pair({ unicastTtl: 64 }, 60);
  expect(routed.other.state).toBe("backup");
  expect(routed.other.status.counters.rejected).toEqual({});
});

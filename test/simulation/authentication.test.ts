// Authenticated advertisements among routers: forged and replayed ones, keys that change, clocks that are wrong.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { trailerLength } from "../../src/vrrp/advertisement.ts";
import type { InstanceParameters } from "../../src/vrrp/parameters.ts";
import { allVrrpRouters4 } from "../../src/wire/address.ts";
import { decodeIpv4, ipv4HeaderLength } from "../../src/wire/ip.ts";
import { authHmac, signed } from "../support/signed.ts";
import { forge, forged4, forgePayload } from "../support/simulated-forger.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { dualStack } from "../vrrp/samples.ts";

const signing = { authHmac: authHmac() };

/** a is preferred; both run for 10 s. */
function pair(a: Partial<InstanceParameters>, b: Partial<InstanceParameters> = a): { lab: Lab; a: Node; b: Node } {
  const lab = new Lab();
  const nodes = { a: lab.node("a", 11, { priority: 200, ...a }), b: lab.node("b", 12, b) };
  lab.start();
  lab.run(10_000);
  return { lab, ...nodes };
}

function rejected(node: Node): Readonly<Record<string, number>> {
  return node.status.counters.rejected;
}

const unicast = (peer: number) => ({ unicastPeers: [{ address: `192.0.2.${peer}`, minTtl: 255, maxTtl: 255 }] });

describe.each<readonly [string, Partial<InstanceParameters>, Partial<InstanceParameters>]>([
  ["version 3", {}, {}],
  ["version 2", { version: 2 }, { version: 2 }],
  ["both families", dualStack(), dualStack()],
  ["unicast", unicast(12), unicast(11)],
])("%s", (_, a, b) => {
  test("two routers with the same key agree, and take over from each other as without one", () => {
    const { lab, a: first, b: second } = pair({ ...a, ...signing, priority: 200 }, { ...b, ...signing, priority: 100 });
    expect(lab.actives).toEqual(["a"]);
    expect(lab.adverts().every((advert) => advert.signed)).toBe(true);
    expect([rejected(first), rejected(second)]).toEqual([{}, {}]);
    first.crash();
    lab.run(5000);
    expect(lab.actives).toEqual(["b"]);
    expect(lab.takeover(first, second)).toBeCloseTo(3609.375, 0);
  });
});

test("recorded advertisements that are sent again after the active router died do not keep the backup waiting", () => {
  const { lab, a, b } = pair(signing);
  const recorded = lab.lan.datagrams.slice(-10).reverse();
  a.crash();
  const died = lab.now;
  for (let i = 0; i < 60; i++) {
    lab.lan.sendDatagram("forger", 4, recorded[i % recorded.length]?.slice() ?? new Uint8Array(), allVrrpRouters4);
    lab.run(1000);
  }
  expect(lab.takeover(a, b)).toBeLessThan(3650);
  expect(b.transitions.at(-1)?.at).toBeLessThan(died + 3650);
  expect(lab.actives).toEqual(["b"]);
  const { hmac_replay = 0, hmac_stale = 0, ...others } = rejected(b);
  // Those of the last seconds are still within the window at first; later the window alone refuses them.
  expect(hmac_replay).toBeGreaterThan(2);
  expect(hmac_replay + hmac_stale).toBe(60);
  expect(others).toEqual({});
  expect(b.status.authentication?.last_refusal).toMatchObject({ source: "192.0.2.11", rejection: "hmac_stale" });
});

test("without authentication the same recordings keep it waiting for as long as they come", () => {
  const { lab, a, b } = pair({});
  const recorded = lab.lan.datagrams.at(-1) ?? new Uint8Array();
  a.crash();
  for (let i = 0; i < 20; i++) {
    lab.lan.sendDatagram("forger", 4, recorded.slice(), allVrrpRouters4);
    lab.run(1000);
  }
  expect(b.state).toBe("backup");
});

test("forged advertisements without the key change nothing, whatever they claim", () => {
  const { lab, a, b } = pair(signing);
  const before = [a.transitions.length, b.transitions.length];
  for (const priority of [255, 254, 0]) {
    forge(lab, { ...forged4, priority });
    forgePayload(lab, signed({ ...forged4, priority }, lab.now + 1_790_000_000_000, { id: 1, secret: 3 }));
    lab.run(500);
  }
  lab.run(10_000);
  expect([a.transitions.length, b.transitions.length]).toEqual(before);
  expect(rejected(b)).toEqual({ hmac_missing: 3, hmac_invalid: 3 });
});

test("no packet without a right code changes anything in mode enforce", () => {
  const { lab, a, b } = pair(signing);
  const recorded = lab.lan.datagrams.at(-1)?.slice(ipv4HeaderLength) ?? new Uint8Array();
  const seen = () =>
    JSON.stringify(
      [a, b].map(({ state, transitions, status }) => [state, transitions, status.active_router?.priority]),
    );
  const before = seen();
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    // The genuine one with some bytes exchanged.
    fc
      .array(fc.tuple(fc.nat({ max: recorded.length - 1 }), fc.integer({ min: 1, max: 255 })), {
        minLength: 1,
        maxLength: 4,
      })
      .map((changes) => changes.reduce((pdu, [at, change]) => pdu.with(at, (pdu[at] ?? 0) ^ change), recorded)),
    // A right message with a made-up trailer of a recent stamp.
    fc
      .tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
      .map(([priority, code]) => {
        const pdu = signed({ ...forged4, priority }, lab.now + 1_790_000_000_000);
        pdu.set(code, pdu.length - code.length);
        return pdu;
      }),
  );
  fc.assert(
    fc.property(payload, (pdu) => {
      forgePayload(lab, pdu);
      lab.run(20);
      expect(seen()).toBe(before);
    }),
    { numRuns: 300 },
  );
  expect(lab.actives).toEqual(["a"]);
});

describe("keys", () => {
  test("are changed by reloads one after the other, without an advertisement refused or a role changed", () => {
    const { lab, a, b } = pair({ authHmac: authHmac({ ids: [1] }) });
    const steps = [
      authHmac({ ids: [1, 2] }),
      authHmac({ ids: [1, 2], activeKey: 2 }),
      authHmac({ ids: [2], activeKey: 2 }),
    ];
    const before = [a.transitions.length, b.transitions.length];
    for (const step of steps) {
      for (const node of [b, a]) {
        node.reload({ authHmac: step });
        lab.run(5000);
      }
    }
    expect([a.transitions.length, b.transitions.length]).toEqual(before);
    expect([rejected(a), rejected(b)]).toEqual([{}, {}]);
    expect(a.status.authentication).toMatchObject({ active_key: 2, keys: [{ id: 2 }] });
  });

  test("that differ make two active routers, which say so, until they are equal again", () => {
    const { lab, a, b } = pair(signing);
    a.reload({ authHmac: authHmac({ ids: [3], activeKey: 3 }) });
    lab.run(6000);
    expect(lab.actives).toEqual(["a", "b"]);
    const warned = (node: Node) =>
      node.host.events.some(
        ({ type, ...event }) =>
          type === "warning" &&
          "message" in event &&
          /hmac_unknown_key .*both nodes will be active/.test(event.message),
      );
    expect([warned(a), warned(b)]).toEqual([true, true]);
    b.reload({ authHmac: authHmac({ ids: [3], activeKey: 3 }) });
    lab.run(3000);
    expect(lab.actives).toEqual(["a"]);
  });
});

test("authentication is introduced by reloads: receive_only, permissive, enforce, without a change of roles", () => {
  const { lab, a, b } = pair({});
  const before = [a.transitions.length, b.transitions.length];
  for (const mode of ["receive_only", "permissive", "enforce"] as const) {
    for (const node of [a, b]) {
      node.reload({ authHmac: authHmac({ mode }) });
      lab.run(4000);
      expect(lab.actives).toEqual(["a"]);
    }
  }
  expect([a.transitions.length, b.transitions.length]).toEqual(before);
  expect([rejected(a), rejected(b)]).toEqual([{}, {}]);
  expect(b.status.authentication?.unsigned_accepted).toBeGreaterThan(3);
  expect(lab.adverts().at(-1)?.signed).toBe(true);
});

test("a router without auth_hmac refuses signed advertisements and says what they are", () => {
  const { lab, a, b } = pair(signing, {});
  expect(lab.actives).toEqual(["a", "b"]);
  expect(Object.keys(rejected(b))).toEqual(["long"]);
  expect(Object.keys(rejected(a))).toEqual(["hmac_missing"]);
  const said = b.host.events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  expect(said[0]).toContain("it is signed, and this router has no auth_hmac: both nodes will be active");
});

describe("clocks", () => {
  test("that differ by less than the window do no harm, and neither do steps within it", () => {
    const { lab, a, b } = pair(signing);
    for (const error of [3000, -1000, 1000, -3000, 0]) {
      a.host.clockError = error;
      lab.run(6000);
    }
    expect(lab.actives).toEqual(["a"]);
    expect([rejected(a), rejected(b)]).toEqual([{}, {}]);
  });

  test.each([3_600_000, -3_600_000])(
    "a step of %s ms at the active router makes two, and ends when it is undone",
    (step) => {
      const { lab, a, b } = pair(signing);
      a.host.clockError = step;
      lab.run(10_000);
      expect(lab.actives).toEqual(["a", "b"]);
      expect(rejected(b).hmac_stale).toBeGreaterThan(3);
      a.host.clockError = 0;
      lab.run(3000);
      expect(lab.actives).toEqual(["a"]);
    },
  );

  test("that were wrong on both and are set back are forgotten at once", () => {
    const { lab, a, b } = pair(signing);
    for (const node of [a, b]) node.host.clockError = 3_600_000;
    lab.run(10_000);
    expect(lab.actives).toEqual(["a"]);
    for (const node of [a, b]) node.host.clockError = 0;
    lab.run(10_000);
    expect(lab.actives).toEqual(["a"]);
    expect(a.transitions.length + b.transitions.length).toBe(3);
  });

  test("mean nothing in monotonic mode", () => {
    const { lab, a, b } = pair({ authHmac: authHmac({ antiReplay: "monotonic" }) });
    a.host.clockError = 3_600_000;
    lab.run(5000);
    a.host.clockError = -3_600_000;
    lab.run(10_000);
    expect(lab.actives).toEqual(["a"]);
    expect(rejected(b)).toEqual({});
  });
});

test("what a stopped process finds in its queue is not stale: it stays the backup", () => {
  const { lab, a, b } = pair(signing);
  b.pause();
  lab.run(20_000);
  b.resume();
  lab.run(2000);
  expect(lab.actives).toEqual(["a"]);
  expect(rejected(b)).toEqual({});
  expect(b.transitions.map(({ to }) => to)).toEqual(["backup"]);
  expect(a.state).toBe("active");
});

test("a router that was started again is heard at once", () => {
  const { lab, a, b } = pair(signing);
  a.crash();
  a.start();
  lab.run(3900);
  expect(lab.actives).toEqual(["a"]);
  expect(rejected(b)).toEqual({});
});

test("every peer gets the same stamp and code, and a header that counts the trailer", () => {
  const peers = { unicastPeers: [12, 13].map((n) => ({ address: `192.0.2.${n}`, minTtl: 255, maxTtl: 255 })) };
  const lab = new Lab();
  lab.node("a", 11, { ...peers, ...signing });
  lab.start();
  lab.run(5000);
  const packets = lab.lan.datagrams.map((bytes) => decodeIpv4(bytes));
  expect(packets.length).toBeGreaterThan(2);
  for (let i = 0; i < packets.length; i += 2) {
    const [one, other] = [packets[i], packets[i + 1]];
    expect(one?.totalLength).toBe(20 + 12 + trailerLength);
    expect(one?.payload.subarray(-trailerLength)).toEqual(other?.payload.subarray(-trailerLength));
  }
  const stamps = new Set(packets.map((packet) => packet?.payload.subarray(-trailerLength).join()));
  expect(stamps.size).toBe(packets.length / 2);
});

/** RFC 9568 section 8: what hosts see of a virtual router - announcements - and routers of other versions and owners. */
import { describe, expect, test } from "vitest";
import { decodeArp } from "../../src/wire/arp.ts";
import { decodeNeighbor } from "../../src/wire/neighbor.ts";
import { hex, toHex } from "../support/hex.ts";
import { address } from "../support/packets.ts";
import { forge, forged4 } from "../support/simulated-forger.ts";
import { Lab } from "../support/simulated-lab.ts";
import { dualStack, instance, virtualAddress } from "../vrrp/samples.ts";

const mac = Uint8Array.of(2, 0, 0, 0, 0, 11);

function takenOver(changes: Parameters<typeof instance>[0] = dualStack()): Lab {
  const lab = new Lab();
  lab.node("a", 11, changes);
  lab.start();
  lab.run(3700);
  return lab;
}

test("8.1.2: a gratuitous ARP request for each IPv4 address: broadcast, sender and target are the address", () => {
  const frame = takenOver().lan.frames[0] ?? new Uint8Array();
  // Sent with the interface's own MAC: virtual MACs are not used.
  expect(toHex(frame)).toBe(
    ["ffffffffffff02000000000b0806", "0001080006040001", "02000000000bc0000201", "ffffffffffffc0000201"].join(""),
  );
  expect(decodeArp(frame)).toMatchObject({
    operation: 1,
    senderAddress: address("192.0.2.1"),
    targetAddress: address("192.0.2.1"),
  });
});

test("8.2.2: an unsolicited neighbour advertisement for each IPv6 address: router and override, not solicited, to all nodes", () => {
  const frames = takenOver()
    .lan.frames.map(decodeNeighbor)
    .filter((neighbor) => neighbor !== undefined);
  for (const [i, text] of ["fe80::51", "2001:db8::51"].entries()) {
    expect(frames[i]).toMatchObject({
      kind: "advertisement",
      router: true,
      solicited: false,
      override: true,
      target: address(text),
      destination: address("ff02::1"),
      mac,
    });
  }
  const first = takenOver().lan.frames[1] ?? new Uint8Array();
  expect(toHex(first.subarray(0, 6))).toBe("333300000001");
  expect(first[21]).toBe(255);
});

test("8.1.2, 8.2.2: nothing is announced before the router is active, and nothing after it has left", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, dualStack());
  lab.start();
  lab.run(3609);
  expect(lab.lan.frames).toEqual([]);
  lab.run(300);
  forge(lab, { ...forged4, priority: 200 });
  lab.run(1);
  expect(node.state).toBe("backup");
  const sent = lab.lan.frames.length;
  lab.run(3000);
  expect(lab.lan.frames).toHaveLength(sent);
});

test("8.1.2: 255 addresses are all announced within a second of the takeover, in batches that let other work in between", () => {
  const lab = new Lab();
  const virtualAddresses = Array.from({ length: 255 }, (_, i) => virtualAddress(`198.51.100.${i}`));
  lab.node("a", 11, { virtualAddresses, announce: { ...instance().announce, repeat: 1, delay: 0 } });
  lab.start();
  lab.run(3609.375 + 1000);
  expect(new Set(lab.lan.announcements.map(({ address: text }) => text)).size).toBe(255);
  expect(new Set(lab.lan.announcements.map(({ at }) => at)).size).toBeGreaterThan(4);
  expect(lab.adverts()).toHaveLength(2);
});

test("8.1.2: a gap between announcements is kept, and the queue ends when the role does", () => {
  const lab = new Lab();
  const virtualAddresses = Array.from({ length: 50 }, (_, i) => virtualAddress(`198.51.100.${i}`));
  const node = lab.node("a", 11, { virtualAddresses, announce: { ...instance().announce, interval: 10 } });
  lab.start();
  lab.run(3609.375 + 200);
  const times = lab.lan.announcements.map(({ at }) => at);
  expect(times.length).toBeGreaterThanOrEqual(20);
  for (const [i, at] of times.entries()) if (i > 0) expect(at - (times[i - 1] ?? 0)).toBeGreaterThanOrEqual(10 - 1e-6);
  node.stop();
  const sent = times.length;
  lab.run(1000);
  expect(lab.lan.announcements.length).toBeLessThanOrEqual(sent);
});

describe("8.3.2: what should be told", () => {
  test("another address owner", () => {
    const lab = new Lab();
    const owner = lab.node("a", 200, { priority: 255 });
    lab.start();
    lab.run(100);
    forge(lab, { ...forged4, priority: 255 });
    lab.run(1);
    expect(owner.state).toBe("active");
    expect(owner.host.events).toContainEqual(
      expect.objectContaining({
        type: "split_brain_start",
        own: { address: "192.0.2.200", priority: 255 },
        rival: { address: "192.0.2.100", priority: 255 },
        message: "two routers are active: 192.0.2.100 with priority 255 beside this one, 192.0.2.200 with priority 255",
      }),
    );
  });
});

test("8.4: version 2 and version 3 do not understand each other: both are active, each counts the other's version", () => {
  const lab = new Lab();
  const nodes = [lab.node("two", 11, { version: 2 }), lab.node("three", 12)];
  lab.start();
  lab.run(10_000);
  expect(lab.actives).toEqual(["two", "three"]);
  for (const { status } of nodes) expect(Object.keys(status.counters.rejected)).toEqual(["version"]);
});

test("9: a text password of version 2 is sent, and anybody on the link can read it", () => {
  const lab = takenOver({ version: 2, password: "secret" });
  expect(toHex(lab.lan.datagrams[0] ?? new Uint8Array())).toContain(toHex(hex("73 65 63 72 65 74 00 00")));
});

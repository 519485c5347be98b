/** RFC 9568 section 7.1: what a running router does with what it refuses, which is nothing but counting and telling. */
import { expect, test } from "vitest";
import { encodeAdvertisement } from "../../src/vrrp/advertisement.ts";
import { altered } from "../support/packets.ts";
import { forge, forged2, forged4, forgePayload } from "../support/simulated-forger.ts";
import { Lab } from "../support/simulated-lab.ts";
import { instance, virtualAddress } from "../vrrp/samples.ts";

const strong = { ...forged4, priority: 254 };
const good = encodeAdvertisement(strong);

test.each<readonly [string, string, (lab: Lab) => void]>([
  ["the TTL is not 255", "ttl", (lab) => forge(lab, strong, 254)],
  ["the version is not the configured one", "version", (lab) => forge(lab, { ...forged2, priority: 254 })],
  ["the type is not 1", "type", (lab) => forgePayload(lab, altered(strong, { 0: 0x32 }))],
  ["the packet is not complete", "short", (lab) => forgePayload(lab, good.subarray(0, 11))],
  ["the checksum is wrong", "checksum", (lab) => forgePayload(lab, good.with(6, 1))],
  ["there is no address in it", "count_zero", (lab) => forgePayload(lab, altered(strong, { 3: 0 }))],
  ["the interval is 0", "interval_zero", (lab) => forgePayload(lab, altered(strong, { 4: 0, 5: 0 }))],
])("7.1: discarded when %s: no change of state, timer or interval", (_, name, send) => {
  for (const state of ["backup", "active"] as const) {
    const lab = new Lab();
    const node = lab.node("a", 11);
    lab.start();
    lab.run(state === "backup" ? 2000 : 5000);
    const before = node.status;
    const due = lab.now + (before.routers[0]?.timer_ms ?? 0);
    send(lab);
    lab.run(50);
    const after = node.status;
    expect(after.state).toBe(state);
    expect(lab.now + (after.routers[0]?.timer_ms ?? 0)).toBeCloseTo(due, 3);
    expect(after.routers[0]?.active_advert_int_ms).toBe(before.routers[0]?.active_advert_int_ms);
    expect(after.counters.rejected).toEqual({ [name]: 1 });
    expect(after.counters.adverts_received).toBe(before.counters.adverts_received);
    expect(lab.adverts({ node: "a" }).length).toBe(before.counters.adverts_sent);
  }
});

test("7.1: a VRID that is not configured on the interface reaches no router", () => {
  const lab = new Lab();
  const node = lab.node("a", 11);
  lab.start();
  lab.run(5000);
  forge(lab, { ...strong, vrid: 52 });
  lab.run(50);
  expect(node.state).toBe("active");
  expect(node.status.counters.rejected).toEqual({});
});

test("7.1: another interval is worth a warning, and no reason to discard", () => {
  const lab = new Lab();
  const node = lab.node("a", 11);
  lab.start();
  forge(lab, { ...strong, interval: 3000 });
  lab.run(1);
  expect(node.status.counters).toMatchObject({ adverts_received: 1, interval_errors: 1, rejected: {} });
  expect(node.host.events.at(-1)).toMatchObject({
    type: "warning",
    message: "192.0.2.100 advertises each 3.00 s, this node each 1.00 s",
  });
});

test("7.1: other addresses are worth a warning, and no reason to discard", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, instance({ virtualAddresses: [virtualAddress("192.0.2.2")] }));
  lab.start();
  forge(lab, strong);
  lab.run(1);
  expect(node.status.counters).toMatchObject({ adverts_received: 1, address_list_errors: 1, rejected: {} });
});

test("7.1, erratum 8298: an address owner does not discard what it hears but lets the election decide", () => {
  const lab = new Lab();
  const owner = lab.node("owner", 11, { priority: 255 });
  lab.start();
  lab.run(100);
  forge(lab, { ...forged4, priority: 255 });
  lab.run(1);
  expect(owner.state).toBe("backup");
});

test("7.1: refusals are told once a second and kind, whatever the sender pretends to be", () => {
  const lab = new Lab();
  const node = lab.node("a", 11);
  lab.start();
  lab.run(5000);
  const before = node.host.events.length;
  for (let i = 0; i < 3000; i++) {
    forge(lab, { ...strong, source: Uint8Array.of(192, 0, 2, i % 200) }, 254);
    lab.run(1);
  }
  expect(node.host.events.length - before).toBeLessThanOrEqual(4);
  expect(node.status.counters.rejected).toEqual({ ttl: 3000 });
});

/** RFC 3768 sections 6 and 7, where version 2 differs from version 3. */
import { describe, expect, test } from "vitest";
import { forge, forged2 } from "../support/simulated-forger.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { type instance, virtualAddress } from "../vrrp/samples.ts";

function started(changes: Parameters<typeof instance>[0], duration: number): { lab: Lab; node: Node } {
  const lab = new Lab();
  lab.lan.quality = { least: 0, most: 0 };
  const node = lab.node("a", 11, { version: 2, ...changes });
  lab.start();
  lab.run(duration);
  return { lab, node };
}

const text = (password: string) => ({ authentication: { type: 1, data: new TextEncoder().encode(password) } });

test.each([
  [1000, 3609.375],
  [5000, 15_609.375],
  [255_000, 765_609.375],
])("6.1: interval %d ms: the skew is a fraction of a second, whatever the interval", (advertisementInterval, first) => {
  const { lab } = started({ advertisementInterval }, first + 1);
  expect(lab.adverts()).toHaveLength(1);
  expect(lab.adverts()[0]?.at).toBeCloseTo(first, 6);
});

test("6.4.1: an owner is master at its startup, every other router backup", () => {
  expect(started({ priority: 255 }, 1).node.state).toBe("active");
  expect(started({ priority: 254 }, 1).node.state).toBe("backup");
});

test("6.4.2: priority 0 sets the timer to the skew", () => {
  const { lab, node } = started({ advertisementInterval: 5000 }, 100);
  forge(lab, { ...forged2, interval: 5000, priority: 0 });
  lab.run(609);
  expect(node.state).toBe("backup");
  lab.run(1);
  expect(node.state).toBe("active");
});

test("6.4.3: priority 0 is answered at once", () => {
  const { lab } = started({}, 4000);
  forge(lab, { ...forged2, priority: 0 });
  lab.run(0);
  expect(lab.adverts({ node: "a" }).map(({ at }) => at)).toEqual([expect.closeTo(3609.375, 6), 4000]);
});

test.each([
  ["a lower priority", 99, Uint8Array.of(192, 0, 2, 200)],
  ["the same priority from a lower address", 100, Uint8Array.of(192, 0, 2, 3)],
])("6.4.3: %s is discarded in silence", (_, priority, source) => {
  const { lab, node } = started({}, 4000);
  forge(lab, { ...forged2, priority, source });
  lab.run(500);
  expect(node.state).toBe("active");
  expect(lab.adverts({ node: "a" })).toHaveLength(1);
});

test("6.4.3: a higher priority, or the same from a higher address, leads to backup", () => {
  for (const [priority, last] of [
    [101, 3],
    [100, 200],
  ] as const) {
    const { lab, node } = started({}, 4000);
    forge(lab, { ...forged2, priority, source: Uint8Array.of(192, 0, 2, last) });
    lab.run(1);
    expect([node.state, node.held]).toEqual(["backup", []]);
  }
});

describe("7.1: discarded without any change of state", () => {
  const refused: readonly (readonly [string, string, Parameters<typeof instance>[0], object])[] = [
    ["another interval", "interval_mismatch", {}, { interval: 2000 }],
    ["a password where none is configured", "auth_type", {}, text("secret")],
    ["no password where one is configured", "auth_type", { password: "secret" }, {}],
    ["another password", "auth_data", { password: "secret" }, text("public")],
    [
      "other addresses, when they are to be checked",
      "address_list",
      { checkAddressList: true, virtualAddresses: [virtualAddress("192.0.2.9")] },
      {},
    ],
    ["anything, by an owner that follows the text", "owner", { priority: 255, ownerConflict: "discard" }, {}],
  ];
  test.each(refused)("%s", (_, name, changes, fields) => {
    const { lab, node } = started(changes, 5000);
    forge(lab, { ...forged2, priority: 254, ...fields });
    lab.run(100);
    expect(node.state).toBe("active");
    expect(node.status.counters.rejected).toEqual({ [name]: 1 });
    expect(node.status.counters.adverts_received).toBe(0);
  });
});

test("7.1: other addresses from an owner are accepted", () => {
  const { lab, node } = started({ checkAddressList: true, virtualAddresses: [virtualAddress("192.0.2.9")] }, 5000);
  forge(lab, { ...forged2, priority: 255 });
  lab.run(1);
  expect(node.state).toBe("backup");
  expect(node.status.counters.address_list_errors).toBe(1);
});

test("7.1: the right password is accepted, and sent", () => {
  const { lab, node } = started({ password: "secret" }, 5000);
  forge(lab, { ...forged2, priority: 200, ...text("secret") });
  lab.run(1);
  expect(node.state).toBe("backup");
});

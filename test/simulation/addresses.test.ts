import { describe, expect, test } from "vitest";
import { forge, forged4 } from "../support/simulated-forger.ts";
import { Lab } from "../support/simulated-lab.ts";
import { dualStack, instance, virtualAddress } from "../vrrp/samples.ts";

const announce = instance().announce;

function alone(changes: Parameters<typeof instance>[0] = {}): { lab: Lab; node: ReturnType<Lab["node"]> } {
  const lab = new Lab();
  const node = lab.node("alone", 11, changes);
  node.start();
  lab.run(10_000);
  return { lab, node };
}

describe("an address that somebody removes from the active router", () => {
  test.each([
    ["as configured", announce],
    ["even when foreign routers are not answered with announcements", { ...announce, lowerPriorityRepeat: 0 }],
  ])("is put back, announced and told: %s", (_, announcing) => {
    const { lab, node } = alone({ announce: announcing });
    const before = lab.lan.announcements.length;
    node.kernel.deleteByHand("192.0.2.1");
    lab.run(200);
    expect(node.held).toEqual(["192.0.2.1"]);
    lab.run(300);
    expect(lab.lan.announcements.length).toBeGreaterThan(before);
    expect(node.host.events).toContainEqual(
      expect.objectContaining({
        type: "repair",
        message: "address 192.0.2.1/24 on eth0 was removed by somebody else: put back",
      }),
    );
    expect(node.transitions).toHaveLength(2);
  });

  test("again and again: the two do not fight at full speed", () => {
    const { lab, node } = alone();
    let removed = 0;
    const start = lab.now;
    while (lab.now < start + 60_000) {
      if (node.held.length > 0) {
        node.kernel.deleteByHand("192.0.2.1");
        removed++;
      }
      lab.run(1);
    }
    expect(removed).toBeGreaterThan(5);
    expect(removed).toBeLessThan(40);
  });

  test("is announced after a second removal soon after the first as well", () => {
    const { lab, node } = alone({ announce: { ...announce, refresh: 0 } });
    for (let i = 0; i < 2; i++) {
      node.kernel.deleteByHand("192.0.2.1");
      lab.run(100);
    }
    const restored = lab.now;
    lab.run(1500);
    expect(node.held).toEqual(["192.0.2.1"]);
    expect(lab.lan.announcements.at(-1)?.at).toBeGreaterThanOrEqual(restored - 100);
  });
});

test("an address that somebody puts on a backup is removed and told", () => {
  const lab = new Lab();
  const [best, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
  lab.start();
  lab.run(10_000);
  other.kernel.addByHand("192.0.2.1", 24);
  lab.run(1000);
  expect([best.held, other.held]).toEqual([["192.0.2.1"], []]);
  expect(other.host.events).toContainEqual(
    expect.objectContaining({
      type: "repair",
      message: "address 192.0.2.1/24 on eth0 was there although this node is not active: removed",
    }),
  );
});

test.each([
  ["with another prefix length while it was active", 200, 32],
  ["as its own when it was the address owner", 255, 24],
])("the address that somebody gave a node %s does not stay when it becomes backup", (_, priority, prefixLength) => {
  const lab = new Lab();
  const [first, other] = [lab.node("first", 11, { priority }), lab.node("other", 12)];
  if (priority === 255) first.kernel.addByHand("192.0.2.1", prefixLength);
  lab.start();
  lab.run(10_000);
  if (priority !== 255) first.kernel.addByHand("192.0.2.1", prefixLength);
  first.reload({ priority: 50 });
  lab.run(10_000);
  expect(lab.actives).toEqual(["other"]);
  expect([first.kernel.holds("192.0.2.1"), other.held]).toEqual([false, ["192.0.2.1"]]);
  const message = `address 192.0.2.1/${prefixLength} on eth0 was there although this node is not active: removed`;
  expect(first.host.events).toContainEqual(expect.objectContaining({ type: "repair", message }));
});

test("the only address of a node stays when it is no address owner any more: it cannot run, and says so", () => {
  const lab = new Lab();
  const node = lab.node("alone", 11, { priority: 255 });
  node.kernel.addByHand("192.0.2.1", 24);
  node.start();
  lab.run(5000);
  node.kernel.deleteByHand("192.0.2.11");
  lab.run(1000);
  node.reload({ priority: 50 });
  lab.run(5000);
  expect(node.kernel.holds("192.0.2.1")).toBe(true);
  expect(node.transitions.at(-1)?.reason).toContain("no IPv4 address other than the virtual ones");
});

test("addresses of others are left alone, whatever happens to ours", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, { priority: 200 });
  node.kernel.addByHand("192.0.2.77", 24);
  node.start();
  lab.run(10_000);
  node.stop();
  node.start();
  lab.run(10_000);
  node.crash();
  node.start();
  expect(node.kernel.addresses()).toEqual(
    expect.arrayContaining(["192.0.2.11", "192.0.2.77", "fe80::b", "2001:db8::b"]),
  );
});

test("the next advertisement comes from the new address when the primary address changes, and the role stays", () => {
  const lab = new Lab();
  const [best, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
  lab.start();
  lab.run(10_000);
  best.kernel.addByHand("192.0.2.21", 24);
  best.kernel.deleteByHand("192.0.2.11");
  const changed = lab.now;
  lab.run(10_000);
  expect(new Set(lab.adverts({ from: changed }).map(({ source }) => source))).toEqual(new Set(["192.0.2.21"]));
  expect([best.transitions.length, other.transitions.length]).toEqual([2, 1]);
  expect(other.status.active_router?.address).toBe("192.0.2.21");
  best.kernel.deleteByHand("192.0.2.21");
  lab.run(1);
  expect([best.state, best.held]).toEqual(["initialize", []]);
  expect(best.status.reasons[0]).toMatch(/^interface eth0 has no IPv4 address/);
});

test("a start before the interface, the address or the carrier is there waits for each with a reason", () => {
  const lab = new Lab();
  const node = lab.node("a", 11);
  node.kernel.deleteLink();
  node.start();
  lab.run(10_000);
  expect(node.status.reasons).toEqual(["interface eth0 does not exist"]);
  node.kernel.setCarrier(false);
  node.kernel.createLink();
  lab.run(1000);
  expect(node.status.reasons).toEqual(["interface eth0 has no carrier"]);
  expect(lab.adverts()).toEqual([]);
  expect(lab.lan.announcements).toEqual([]);
  node.kernel.setCarrier(true);
  const ready = lab.now;
  lab.run(5000);
  expect((lab.adverts()[0]?.at ?? 0) - ready).toBeCloseTo(3609.375, 0);
});

test("a kernel that refuses the addresses for good is a reason not to run", () => {
  const lab = new Lab();
  const [best, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
  best.kernel.refuses = "EPERM";
  lab.start();
  lab.run(20_000);
  expect(best.state).toBe("initialize");
  expect(best.status.reasons[0]).toContain("EPERM");
  expect([lab.actives, other.held]).toEqual([["other"], ["192.0.2.1"]]);
});

test("what the kernel refused is tried again when an address of the host appears: IPv6 was disabled, and is enabled", () => {
  const lab = new Lab();
  const [best, other] = [lab.node("best", 11, { priority: 200 }), lab.node("other", 12)];
  best.kernel.refuses = "EACCES";
  lab.start();
  lab.run(10_000);
  expect([best.state, other.state]).toEqual(["initialize", "active"]);
  // It still refuses: one attempt, and the addresses are back where they were.
  best.kernel.addByHand("198.51.100.7", 24);
  lab.run(10_000);
  expect([best.state, other.held]).toEqual(["initialize", ["192.0.2.1"]]);
  best.kernel.refuses = undefined;
  best.kernel.deleteByHand("198.51.100.7");
  lab.run(10_000);
  expect(best.state).toBe("initialize");
  best.kernel.addByHand("198.51.100.8", 24);
  lab.run(10_000);
  expect([best.held, best.status.reasons, other.state]).toEqual([["192.0.2.1"], [], "backup"]);
});

test("the status tells what is there", () => {
  const { lab, node } = alone(dualStack({ priority: 150, excludedAddresses: [virtualAddress("198.51.100.1")] }));
  lab.run(250);
  expect(node.status).toMatchObject({
    state: "active",
    reasons: [],
    families: ["ipv4", "ipv6"],
    priority: { base: 150, effective: 150 },
    active_router: { address: "192.0.2.11", priority: 150, last_heard_ms: 0, self: true },
    addresses: [
      { address: "192.0.2.1/24", advertised: true, present: true, lease_s: 5 },
      { address: "198.51.100.1/24", advertised: false, present: true, lease_s: 5 },
      { address: "fe80::51/64", advertised: true, present: true, lease_s: 5 },
      { address: "2001:db8::51/64", advertised: true, present: true, lease_s: 5 },
    ],
    counters: { became_active: 1, released_active: 0, priority_zero_sent: 0, send_errors: 0 },
  });
  expect(node.status.routers.map(({ state, source }) => [state, source])).toEqual([
    ["active", "192.0.2.11"],
    ["active", "fe80::b"],
  ]);
});

describe("addresses on another interface", () => {
  const elsewhere = () => instance({ virtualAddresses: [virtualAddress("198.51.100.1", { device: "eth1" })] });

  test("that does not exist are a reason to wait; when it appears they are put there and announced", () => {
    const { lab, node } = alone(elsewhere());
    expect([node.state, node.status.reasons]).toEqual(["initialize", ["interface eth1 does not exist"]]);
    node.kernel.createLink("eth1");
    lab.run(4000);
    expect(node.held).toEqual(["198.51.100.1"]);
    expect(lab.lan.neighbors.has("198.51.100.1")).toBe(true);
  });

  test("are announced when its link comes up after the router became active", () => {
    const lab = new Lab();
    const node = lab.node("a", 11, elsewhere());
    node.kernel.createLink("eth1");
    node.kernel.alter("eth1", { up: false, running: false });
    lab.start();
    lab.run(20_000);
    expect(node.held).toEqual(["198.51.100.1"]);
    expect(lab.lan.announcements).toEqual([]);
    node.kernel.alter("eth1", { up: true, running: true });
    lab.run(1000);
    expect(lab.lan.neighbors.has("198.51.100.1")).toBe(true);
  });
});

test("a new MAC of the interface is announced at once", () => {
  const { lab, node } = alone();
  node.kernel.alter("eth0", { mac: Uint8Array.of(2, 0, 0, 0, 9, 9) });
  lab.run(1000);
  expect(lab.lan.neighbors.get("192.0.2.1")).toBe("02:00:00:00:09:09");
});

test("sockets that the kernel refuses for a moment are tried again without anything else having to happen", () => {
  const lab = new Lab();
  const node = lab.node("a", 11);
  node.kernel.setCarrier(false);
  node.start();
  const { host } = node;
  const openChannel = host.openChannel.bind(host);
  host.openChannel = () => {
    throw new Error("raw socket for VRRP over IPv4 on eth0: ENOBUFS");
  };
  node.kernel.setCarrier(true);
  lab.run(100);
  expect([node.state, node.status.reasons]).toEqual(["initialize", ["raw socket for VRRP over IPv4 on eth0: ENOBUFS"]]);
  host.openChannel = openChannel;
  lab.run(30_000);
  expect(node.state).toBe("active");
});

test("work that waits for its turn is not done for a role that is gone meanwhile", () => {
  const lab = new Lab();
  const node = lab.node("a", 11);
  lab.start();
  // A loop that is busy for longer than the role lasts.
  node.host.soon = (work) => void lab.time.after(20, work);
  lab.run(3615);
  expect([node.state, node.held]).toEqual(["active", []]);
  forge(lab, { ...forged4, priority: 200 });
  lab.run(100);
  expect([node.state, node.held, lab.lan.announcements]).toEqual(["backup", [], []]);
});

test("a router that lost its role in the middle of its announcements announces everything when it is active again", () => {
  const lab = new Lab();
  const virtualAddresses = Array.from({ length: 50 }, (_, i) => virtualAddress(`198.51.100.${i}`));
  lab.node("a", 11, { virtualAddresses, announce: { ...announce, interval: 10 } });
  lab.start();
  lab.run(3800);
  forge(lab, { ...forged4, priority: 200 });
  lab.run(100);
  expect(lab.lan.announcements.length).toBeLessThan(50);
  const from = lab.now;
  lab.run(5000);
  const again = lab.lan.announcements.filter(({ at }) => at > from).map(({ address }) => address);
  expect(new Set(again).size).toBe(50);
});

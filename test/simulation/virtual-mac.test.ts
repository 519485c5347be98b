import { describe, expect, test } from "vitest";
import type { Link } from "../../src/netlink/link.ts";
import { Lab, type Node } from "../support/simulated-lab.ts";
import { instance, virtualAddress } from "../vrrp/samples.ts";

const mac4 = "00:00:5e:00:01:33";
const vmac = {
  virtualMac: { device4: "vrrp.51", sendFromBase: false },
  virtualAddresses: [virtualAddress("192.0.2.1", { device: "vrrp.51" })],
};
const vmacs = {
  families: [4, 6] as const,
  virtualMac: { device4: "vrrp.51", device6: "vrrp6.51", sendFromBase: false },
  virtualAddresses: [
    virtualAddress("192.0.2.1", { device: "vrrp.51" }),
    virtualAddress("fe80::51", { device: "vrrp6.51" }),
  ],
};

function device(node: Node, name = "vrrp.51"): Link | undefined {
  return [...node.kernel.links.values()].find((link) => link.name === name);
}

function alone(changes: Parameters<typeof instance>[0] = vmac): { lab: Lab; node: Node } {
  const lab = new Lab();
  const node = lab.node("alone", 11, changes);
  node.start();
  return { lab, node };
}

function repairs(node: Node): string[] {
  return node.host.events.flatMap((event) => (event.type === "repair" ? [event.message] : []));
}

describe("a device with the virtual MAC address", () => {
  test("is there before the router is a backup, and down until it is active", () => {
    const { lab, node } = alone();
    lab.run(100);
    expect(node.state).toBe("backup");
    expect(device(node)).toMatchObject({ kind: "macvlan", up: false, parent: node.kernel.link?.index });
    expect(node.host.events.filter(({ type }) => type === "warning")).toEqual([]);
    lab.run(5_000);
    expect(node.state).toBe("active");
    expect(device(node)?.up).toBe(true);
    expect(node.status.virtual_macs).toEqual([
      { family: "ipv4", address: mac4, device: "vrrp.51", present: true, up: true },
    ]);
    expect(node.status.addresses).toMatchObject([{ device: "vrrp.51", present: true }]);
  });

  test("is what advertisements and announcements come from, for each family its own", () => {
    const { lab, node } = alone(vmacs);
    lab.run(5_000);
    expect([...node.kernel.advertisedFrom].sort()).toEqual([mac4, "00:00:5e:00:02:33"]);
    expect(Object.fromEntries(lab.lan.neighbors)).toEqual({ "192.0.2.1": mac4, "fe80::51": "00:00:5e:00:02:33" });
  });

  test("leaves advertisements alone with vmac_xmit_base, and the announcements as they are", () => {
    const { lab, node } = alone({ ...vmac, virtualMac: { ...vmac.virtualMac, sendFromBase: true } });
    lab.run(5_000);
    expect([...node.kernel.advertisedFrom]).toEqual([]);
    expect(lab.lan.adverts.length).toBeGreaterThan(0);
    expect(lab.lan.neighbors.get("192.0.2.1")).toBe(mac4);
  });

  test("goes down when a better router comes, and neither hears anything of it but its advertisements", () => {
    const lab = new Lab();
    const [better, lesser] = [lab.node("better", 11, { ...vmac, priority: 200 }), lab.node("lesser", 12, vmac)];
    lesser.start();
    lab.run(5_000);
    better.start();
    lab.run(5_000);
    expect([better.state, lesser.state]).toEqual(["active", "backup"]);
    expect([device(better)?.up, device(lesser)?.up]).toEqual([true, false]);
    expect(lesser.held).toEqual([]);
    expect([...repairs(better), ...repairs(lesser)]).toEqual([]);
  });

  test("is removed at the end, and the settings of the interface are as before", () => {
    const { lab, node } = alone(vmacs);
    const { settings } = node.kernel;
    settings.set("net/ipv4/conf/eth0/arp_ignore", "0");
    lab.run(5_000);
    expect(settings.get("net/ipv4/conf/eth0/arp_ignore")).toBe("1");
    expect(settings.get("net/ipv4/conf/vrrp.51/rp_filter")).toBe("0");
    node.stop();
    lab.run(100);
    expect([...node.kernel.links.values()].map(({ name }) => name)).toEqual(["eth0"]);
    expect(settings.get("net/ipv4/conf/eth0/arp_ignore")).toBe("0");
  });
});

describe("what others do to the device", () => {
  test("deleting it: it is made again, told, and the role is kept", () => {
    const { lab, node } = alone(vmacs);
    lab.run(5_000);
    for (const name of ["vrrp.51", "vrrp6.51"]) node.kernel.removeLink(device(node, name)?.index ?? 0);
    expect(node.held).toEqual([]);
    lab.run(500);
    expect(node.held.sort()).toEqual(["192.0.2.1", "fe80::51"]);
    expect(repairs(node)).toEqual(
      expect.arrayContaining([
        "vrrp.51 was deleted by somebody else: made again",
        "vrrp6.51 was deleted by somebody else: made again",
      ]),
    );
    expect(node.transitions.map(({ to }) => to)).toEqual(["backup", "active"]);
  });

  test("deleting it again and again: it comes back, ever more slowly", () => {
    const { lab, node } = alone();
    lab.run(5_000);
    let deleted = 0;
    const end = lab.now + 20_000;
    while (lab.now < end) {
      const link = device(node);
      if (link !== undefined) {
        node.kernel.removeLink(link.index);
        deleted++;
      }
      lab.run(1);
    }
    expect(deleted).toBeGreaterThan(8);
    expect(deleted).toBeLessThan(30);
    lab.run(10_000);
    expect(node.held).toEqual(["192.0.2.1"]);
  });

  test("setting it down while active, or up while backup", () => {
    const { lab, node } = alone(vmacs);
    lab.run(200);
    node.kernel.changeLink(device(node)?.index ?? 0, { up: true });
    lab.run(100);
    expect(device(node)?.up).toBe(false);
    lab.run(5_000);
    node.kernel.changeLink(device(node, "vrrp6.51")?.index ?? 0, { up: false });
    lab.run(200);
    expect(device(node, "vrrp6.51")?.up).toBe(true);
    expect(node.held.sort()).toEqual(["192.0.2.1", "fe80::51"]);
    expect(repairs(node)).toEqual(
      expect.arrayContaining([
        "vrrp.51 was set up by somebody else although this node is not active: set down",
        "vrrp6.51 was set down by somebody else: set up again",
      ]),
    );
    expect(node.transitions.map(({ to }) => to)).toEqual(["backup", "active"]);
  });

  test("giving it another MAC address, or moving it to another mode", () => {
    const { lab, node } = alone();
    lab.run(5_000);
    node.kernel.changeLink(device(node)?.index ?? 0, { mac: Uint8Array.of(2, 0, 0, 0, 0, 99) });
    lab.run(200);
    expect(device(node)?.mac[5]).toBe(0x33);
    node.kernel.changeLink(device(node)?.index ?? 0, { mode: 1 });
    lab.run(200);
    expect(device(node)).toMatchObject({ mode: 4, up: true });
    expect(node.held).toEqual(["192.0.2.1"]);
    expect(repairs(node)).toEqual(
      expect.arrayContaining([
        "vrrp.51 was given another MAC address by somebody else: put back",
        "vrrp.51 was changed by somebody else: made again",
      ]),
    );
  });
});

describe("the interface below", () => {
  test("is deleted and made again: the device comes back with it, and nobody is blamed", () => {
    const { lab, node } = alone();
    lab.run(5_000);
    node.kernel.deleteLink();
    lab.run(1_000);
    expect(node.state).toBe("initialize");
    expect(device(node)).toBeUndefined();
    node.kernel.createLink();
    lab.run(100);
    expect(node.state).toBe("backup");
    expect(device(node)?.parent).toBe(node.kernel.link?.index);
    lab.run(5_000);
    expect(node.held).toEqual(["192.0.2.1"]);
    expect(repairs(node)).toEqual([]);
  });

  test("changes its MTU and its MAC address: the device follows the one and not the other", () => {
    const { lab, node } = alone();
    lab.run(5_000);
    node.kernel.alter("eth0", { mtu: 1400, mac: Uint8Array.of(2, 0, 0, 0, 0, 77) });
    lab.run(200);
    expect(device(node)).toMatchObject({ mtu: 1400, up: true });
    expect(lab.lan.neighbors.get("192.0.2.1")).toBe(mac4);
    expect(node.state).toBe("active");
    expect(repairs(node)).toEqual([]);
  });

  test("is no Ethernet: the reason says so", () => {
    const { lab, node } = alone();
    node.kernel.alter("eth0", { type: 512 });
    lab.run(100);
    expect(node.status.reasons).toEqual(["interface eth0 is not an Ethernet interface"]);
  });
});

test("an address that somebody puts on the interface below is in the way until it is gone", () => {
  const { lab, node } = alone();
  lab.run(5_000);
  node.kernel.addByHand("192.0.2.1", 24);
  lab.run(100);
  expect(node.state).toBe("initialize");
  expect(node.status.reasons).toEqual([
    "192.0.2.1 is on interface eth0 itself, which would answer for it too: remove it there",
  ]);
  expect(device(node)?.up).toBe(false);
  node.kernel.deleteByHand("192.0.2.1");
  lab.run(5_000);
  expect(node.state).toBe("active");
});

describe("at the start", () => {
  test("a foreign interface of the device's name stays, and the instance says what is in its way", () => {
    const lab = new Lab();
    const node = lab.node("alone", 11, vmac);
    node.kernel.createLink("vrrp.51");
    const theirs = device(node);
    node.start();
    lab.run(10_000);
    expect(node.state).toBe("initialize");
    expect(node.status.reasons).toEqual([
      "interface vrrp.51 exists and was not made by viprd: remove it, or name another device with use_vmac",
    ]);
    expect(device(node)).toEqual(theirs);
    node.kernel.removeLink(theirs?.index ?? 0);
    lab.run(100);
    expect(node.state).toBe("backup");
  });

  test("the device of a killed run is taken over: down, and without addresses", () => {
    const { lab, node } = alone(vmacs);
    lab.run(5_000);
    const before = device(node)?.index;
    node.crash();
    lab.run(50);
    expect(device(node)?.up).toBe(true);
    node.start();
    lab.run(100);
    expect(node.state).toBe("backup");
    expect(device(node)).toMatchObject({ index: before, up: false });
    expect(device(node, "vrrp6.51")?.up).toBe(false);
    expect(node.held).toEqual([]);
    expect(repairs(node)).toEqual([]);
  });

  test("a kernel without macvlan is a reason, until it has one", () => {
    const lab = new Lab();
    const node = lab.node("alone", 11, vmac);
    node.kernel.refusesDevices = "EOPNOTSUPP";
    node.start();
    lab.run(10_000);
    expect(node.status.reasons).toEqual(["virtual MAC device: EOPNOTSUPP"]);
    expect(node.host.events.filter(({ type }) => type === "warning")).toHaveLength(1);
    node.kernel.refusesDevices = undefined;
    lab.run(6_000);
    expect(node.state).not.toBe("initialize");
  });
});

describe("a reload", () => {
  test("between use_vmac and without: another virtual router, and no device is left", () => {
    const { lab, node } = alone();
    lab.run(5_000);
    node.host.configure(instance());
    lab.run(100);
    expect(node.state).toBe("backup");
    expect(device(node)).toBeUndefined();
    expect(node.held).toEqual([]);
  });

  test("to another virtual router with the same device waits until the former one's has gone, and blames nobody", () => {
    const { lab, node } = alone();
    lab.run(5_000);
    const before = device(node)?.index;
    node.reload({ version: 2 });
    lab.run(100);
    expect(node.state).toBe("backup");
    expect(device(node)?.index).not.toBe(before);
    lab.run(5_000);
    expect([node.state, device(node)?.up]).toEqual(["active", true]);
    expect(repairs(node)).toEqual([]);
    expect(node.host.events.filter(({ type }) => type === "warning")).toEqual([]);
  });

  test("of vmac_xmit_base keeps the role", () => {
    const { lab, node } = alone();
    lab.run(5_000);
    node.kernel.advertisedFrom.clear();
    node.reload({ virtualMac: { ...vmac.virtualMac, sendFromBase: true } });
    lab.run(3_000);
    expect(node.transitions.map(({ to }) => to)).toEqual(["backup", "active"]);
    expect([...node.kernel.advertisedFrom]).toEqual([]);
  });

  test("of a family that goes takes its device along", () => {
    const { lab, node } = alone(vmacs);
    lab.run(5_000);
    node.reload({ families: [4], ...vmac });
    lab.run(100);
    expect(node.state).toBe("active");
    expect(device(node, "vrrp6.51")).toBeUndefined();
    node.reload(vmacs);
    lab.run(6_000);
    expect(device(node, "vrrp6.51")?.up).toBe(true);
    expect(node.held.sort()).toEqual(["192.0.2.1", "fe80::51"]);
  });
});

describe("accept: false", () => {
  test("without its packet filter the router does not run, whatever it does otherwise", () => {
    const lab = new Lab();
    const node = lab.node("alone", 11, { ...vmac, accept: false });
    node.start();
    node.host.filtering = { problem: "accept: false needs a kernel with nf_tables" };
    node.instance.refresh();
    lab.run(10_000);
    expect(node.state).toBe("initialize");
    expect(node.status.reasons).toEqual(["accept: false needs a kernel with nf_tables"]);
    node.host.filtering = {};
    node.instance.refresh();
    lab.run(5_000);
    expect(node.state).toBe("active");
    node.host.filtering = { pending: "it is being made again" };
    node.instance.refresh();
    expect(node.state).toBe("active");
  });
});

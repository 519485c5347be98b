import { expect, test } from "vitest";
import { baseSettings, deviceSettings, obstacles, remarks, settingName } from "../../src/vrrp/mac-settings.ts";

function reader(values: Readonly<Record<string, string>>): (path: string) => string | undefined {
  return (path) => values[path];
}

function valuesOf(settings: ReturnType<typeof deviceSettings>): Record<string, string> {
  return Object.fromEntries(settings.map(({ path, value }) => [path, value]));
}

test("the interface below answers for its own addresses only, and asks under its own", () => {
  expect(valuesOf(baseSettings(4, "eth0"))).toEqual({
    "net/ipv4/conf/eth0/arp_ignore": "1",
    "net/ipv4/conf/eth0/arp_filter": "1",
    "net/ipv4/conf/eth0/arp_announce": "2",
  });
  expect(baseSettings(6, "eth0")).toEqual([]);
});

test("a device over IPv4 filters nothing, forwards as the interface below does, and has no IPv6", () => {
  const read = reader({ "net/ipv4/conf/eth0/forwarding": "1", "net/ipv4/conf/all/rp_filter": "0" });
  expect(valuesOf(deviceSettings(4, "vrrp.51", "eth0", read))).toEqual({
    "net/ipv4/conf/vrrp.51/arp_ignore": "1",
    "net/ipv4/conf/vrrp.51/arp_filter": "0",
    "net/ipv4/conf/vrrp.51/rp_filter": "0",
    "net/ipv4/conf/vrrp.51/accept_local": "1",
    "net/ipv4/conf/vrrp.51/forwarding": "1",
    "net/ipv4/conf/vrrp.51/promote_secondaries": "1",
    "net/ipv6/conf/vrrp.51/disable_ipv6": "1",
  });
});

test.each(["1", "2"])(
  "where all interfaces filter by %s, the device filters loosely instead of weakening them",
  (all) => {
    const settings = deviceSettings(4, "vrrp.51", "eth0", reader({ "net/ipv4/conf/all/rp_filter": all }));
    expect(valuesOf(settings)["net/ipv4/conf/vrrp.51/rp_filter"]).toBe("2");
    expect(remarks(4, "vrrp.51", reader({ "net/ipv4/conf/all/rp_filter": all }))).toEqual([
      `net.ipv4.conf.all.rp_filter is ${all} and stays so: vrrp.51 drops packets from addresses without a route`,
    ]);
    expect(remarks(4, "vrrp.51", reader({}))).toEqual([]);
  },
);

test("a device over IPv6 makes no address of its own and says that it is a router", () => {
  expect(valuesOf(deviceSettings(6, "vrrp6.51", "eth0", reader({})))).toEqual({
    "net/ipv6/conf/vrrp6.51/accept_ra": "0",
    "net/ipv6/conf/vrrp6.51/autoconf": "0",
    "net/ipv6/conf/vrrp6.51/router_solicitations": "0",
    "net/ipv6/conf/vrrp6.51/forwarding": "1",
    "net/ipv4/conf/vrrp6.51/arp_ignore": "8",
  });
});

test("settings for all interfaces that no other can make up for are named", () => {
  expect(
    obstacles(4, "vrrp.51", reader({ "net/ipv4/conf/all/arp_filter": "1", "net/ipv4/conf/all/arp_ignore": "8" })),
  ).toEqual([
    "net.ipv4.conf.all.arp_filter is 1: vrrp.51 would not answer ARP; viprd does not change settings for all interfaces",
    "net.ipv4.conf.all.arp_ignore is 8: vrrp.51 would not answer ARP, or others would for it; viprd does not change settings for all interfaces",
  ]);
  expect(obstacles(4, "vrrp.51", reader({ "net/ipv4/conf/all/arp_ignore": "2" }))).toEqual([]);
  expect(obstacles(6, "vrrp6.51", reader({ "net/ipv4/conf/all/arp_filter": "1" }))).toEqual([]);
});

test("a setting is named as sysctl(8) does, dots in the name of an interface included", () => {
  expect(settingName("net/ipv4/conf/vrrp.51/rp_filter")).toBe("net.ipv4.conf.vrrp/51.rp_filter");
});

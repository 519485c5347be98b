import { describe, expect, test } from "vitest";
import type { Link } from "../../src/netlink/link.ts";
import type { Entry } from "../../src/vrrp/deadlines.ts";
import { type Holder, Secondaries } from "../../src/vrrp/secondaries.ts";

const setting = (name: string) => `net/ipv4/conf/${name}/promote_secondaries`;

function holder(name: string, ...addresses: string[]): Holder {
  const virtualAddresses = addresses.map((each) => {
    const [address = "", device = ""] = each.split("@");
    return { address, device, prefixLength: 24 };
  });
  return { name, virtualAddresses, excludedAddresses: [], virtualMac: undefined } as unknown as Holder;
}

/** Interfaces by the name that the configuration has, and the names whose settings the kernel shows. */
function host(holders: readonly Holder[]) {
  const links = new Map<string, string>();
  const shown = new Set<string>();
  const held: string[] = [];
  let [now, due] = [0, Number.POSITIVE_INFINITY];
  let entry: Entry | undefined;
  const secondaries = new Secondaries(
    {
      now: () => now,
      linkByName: (name) => (links.has(name) ? ({ name: links.get(name) } as Link) : undefined),
      scheduleBackground: (of, at) => {
        [entry, due] = [of, at ?? Number.POSITIVE_INFINITY];
      },
      settings: {
        read: (path) => (shown.has(path) ? "0" : undefined),
        set: () => [],
        hold: (name, settings) => {
          for (const { path } of settings) held.push(`${name} ${path}${shown.has(path) ? "" : ": not there"}`);
          return [];
        },
        release: (name) => held.push(`${name} released`),
      },
    },
    () => holders,
  );
  return {
    secondaries,
    links,
    shown,
    held,
    advance: (duration: number) => {
      for (const end = now + duration; due <= end; ) {
        now = due;
        due = Number.POSITIVE_INFINITY;
        entry?.fire(now);
      }
      now += duration;
    },
  };
}

const isLan = (device: string) => device === "lan0";

test("every interface with an IPv4 address of the holder, while the holder is there", () => {
  const web = holder("web", "192.0.2.1@eth0", "192.0.2.2@eth0", "2001:db8::1@eth1", "198.51.100.1@absent");
  const { secondaries, links, shown, held } = host([web]);
  for (const name of ["eth0", "eth1"]) links.set(name, name);
  shown.add(setting("eth0"));
  secondaries.keepAll();
  secondaries.release("web");
  expect(held).toEqual([`web/secondaries ${setting("eth0")}`, "web/secondaries released"]);
});

describe("an interface that gets its name", () => {
  const holders = [holder("web", "192.0.2.1@lan0"), holder("mail", "192.0.2.2@lan0"), holder("db", "192.0.2.3@eth9")];

  test("has its settings at once", () => {
    const { secondaries, links, shown, held, advance } = host(holders);
    links.set("lan0", "lan0");
    shown.add(setting("lan0"));
    secondaries.nameChanged(isLan);
    advance(10_000);
    expect(held).toEqual(["web", "mail"].map((name) => `${name}/secondaries ${setting("lan0")}`));
  });

  test("has them a moment later", () => {
    const { secondaries, links, shown, held, advance } = host(holders);
    links.set("lan0", "lan0");
    secondaries.nameChanged(isLan);
    advance(40);
    expect(held).toEqual([]);
    shown.add(setting("lan0"));
    advance(40);
    expect(held).toEqual(["web", "mail"].map((name) => `${name}/secondaries ${setting("lan0")}`));
    advance(10_000);
    expect(held.length).toBe(2);
  });

  test("never has them, and that is told once", () => {
    const { secondaries, links, held, advance } = host(holders);
    links.set("lan0", "lan0");
    secondaries.nameChanged(isLan);
    advance(10_000);
    expect(held).toEqual(["web", "mail"].map((name) => `${name}/secondaries ${setting("lan0")}: not there`));
  });

  test("is gone again", () => {
    const { secondaries, links, held, advance } = host(holders);
    links.set("lan0", "lan0");
    secondaries.nameChanged(isLan);
    links.delete("lan0");
    advance(10_000);
    expect(held).toEqual([]);
  });

  test("concerns nobody", () => {
    const { secondaries, links, shown, held } = host(holders);
    links.set("eth5", "eth5");
    shown.add(setting("eth5"));
    secondaries.nameChanged((device) => device === "eth5");
    expect(held).toEqual([]);
  });
});

// Requests, dumps and the watch against the real kernel, in network namespaces of their own.
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type AddressEntry,
  addAddress,
  addressFlags,
  deleteAddress,
  encodeDeleteAddress,
  encodeNewAddress,
  IFA_F_NODAD,
  listAddresses,
  type NewAddress,
} from "../../src/netlink/address.ts";
import { Connection, NetlinkError, type Request } from "../../src/netlink/connection.ts";
import { RTM_DELADDR, RTM_NEWADDR } from "../../src/netlink/constants.ts";
import { addLink, deleteLink, linkByName, listLinks, setLink } from "../../src/netlink/link.ts";
import { addressKey } from "../../src/netlink/subjects.ts";
import { type Change, Watch, type WatchOptions } from "../../src/netlink/watch.ts";
import { formatAddress, formatMac, parseAddress } from "../../src/wire/address.ts";
import { Namespace, until } from "../support/netlink-namespace.ts";

let space: Namespace;
let connection: Connection;

beforeAll(() => {
  space = new Namespace();
  connection = space.inside(() => Connection.open());
});

afterAll(() => {
  connection.close();
  space.remove();
});

function bytes(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(text);
  return address;
}

/** A bridge without ports: the simplest link this kernel is sure to have. */
async function bridge(name: string): Promise<number> {
  await addLink(connection, { name, kind: "bridge", up: true });
  const link = await linkByName(connection, name);
  return link?.index ?? 0;
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof NetlinkError ? error.message : `no refusal: ${String(error)}`;
}

/** The i-th of many /32. */
function numbered(index: number, i: number): NewAddress {
  return { family: 4, index, address: Uint8Array.of(10, 8, i >> 8, i & 0xff), prefixLength: 32 };
}

function newAddress(entry: NewAddress, done?: (error?: NetlinkError) => void): Request {
  const operation = () => `add address ${formatAddress(entry.address)}`;
  return {
    operation,
    type: RTM_NEWADDR,
    flags: addressFlags(true),
    body: encodeNewAddress(entry),
    ...(done && { done }),
  };
}

function oldAddress(entry: NewAddress, done?: (error?: NetlinkError) => void): Request {
  const operation = () => `delete address ${formatAddress(entry.address)}`;
  return { operation, type: RTM_DELADDR, flags: 0, body: encodeDeleteAddress(entry), ...(done && { done }) };
}

function openWatch(options: Omit<WatchOptions, "links" | "addresses">): Watch {
  return space.inside(() => Watch.open({ links: true, addresses: true, ...options }));
}

function keys(entries: Iterable<AddressEntry>): string[] {
  return [...entries].map((entry) => `${addressKey(entry)} ${entry.flags}`).sort();
}

test("an IPv4 address is added, read back by ip and by us, and deleted", async () => {
  const index = await bridge("a4");
  const entry: NewAddress = {
    family: 4,
    index,
    address: bytes("192.0.2.1"),
    prefixLength: 24,
    broadcast: bytes("192.0.2.255"),
    label: "a4:vip",
    protocol: 112,
    metric: 77,
    validLifetime: 30,
    preferredLifetime: 20,
  };
  await addAddress(connection, entry, { device: "a4" });
  expect(space.show("-4 addr show dev a4")[0]?.addr_info).toMatchObject([
    { local: "192.0.2.1", prefixlen: 24, broadcast: "192.0.2.255", label: "a4:vip", metric: 77 },
  ]);
  const [found] = await listAddresses(connection, 4, index);
  expect(found).toMatchObject({
    ...entry,
    validLifetime: expect.closeTo(30, 0),
    preferredLifetime: expect.closeTo(20, 0),
  });
  await deleteAddress(connection, entry);
  expect(await listAddresses(connection, 4, index)).toEqual([]);
});

test("the kernel's own words are in the error", async () => {
  const index = await bridge("e0");
  const entry = { family: 4, index, address: bytes("192.0.2.1"), prefixLength: 24 } as const;
  await addAddress(connection, entry);
  expect(await refusal(addAddress(connection, entry, { device: "e0" }))).toBe(
    "add address 192.0.2.1/24 to e0: EEXIST (ipv4: Address already assigned)",
  );
  expect(await refusal(deleteAddress(connection, { ...entry, address: bytes("192.0.2.2") }))).toMatch(
    /^delete address 192\.0\.2\.2\/24 from link \d+: EADDRNOTAVAIL/,
  );
});

test("a thousand addresses posted at once are there when postMany returns, and go the same way", async () => {
  const index = await bridge("many");
  const entries = Array.from({ length: 1000 }, (_, i) => numbered(index, i));
  const errors: unknown[] = [];
  const done = (error?: NetlinkError) => errors.push(error);
  const other = space.inside(() => Connection.open());
  connection.postMany(entries.map((entry) => newAddress(entry, done)));
  // Another socket, so that the answers to the first are not what is waited for.
  const there = await listAddresses(other, 4, index);
  connection.postMany(entries.map((entry) => oldAddress(entry, done)));
  await connection.settle();
  const gone = await listAddresses(other, 4, index);
  other.close();
  expect([there.length, gone.length]).toEqual([1000, 0]);
  expect(errors).toEqual(new Array(2000).fill(undefined));
});

test("one refused request among many is the only one reported, by its own name", async () => {
  const index = await bridge("one");
  const entries = Array.from({ length: 120 }, (_, i) => numbered(index, i));
  const errors: (string | undefined)[] = [];
  const requests = entries.map((entry, i) =>
    newAddress(i === 70 ? { ...entry, prefixLength: 99 } : entry, (error) => errors.push(error?.message)),
  );
  connection.postMany(requests);
  await connection.settle();
  expect(errors.length).toBe(120);
  expect(errors.flatMap((error, i) => (error === undefined ? [] : [[i, error]]))).toEqual([
    [70, "add address 10.8.0.70: EINVAL (ipv4: Invalid prefix length)"],
  ]);
});

test("links are added, changed, renamed, put into a bridge and deleted", async () => {
  await addLink(connection, { name: "v0", kind: "veth", peer: "v1", mtu: 1400 });
  await addLink(connection, { name: "br0", kind: "bridge" });
  const v0 = await linkByName(connection, "v0");
  const br0 = await linkByName(connection, "br0");
  if (v0 === undefined || br0 === undefined) throw new Error("links are missing");
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
  await setLink(connection, v0.index, { up: true, mac, mtu: 1300, master: br0.index });
  await addLink(connection, {
    name: "vrrp.51",
    kind: "macvlan",
    parent: br0.index,
    mode: 1,
    mac: Uint8Array.of(0, 0, 0x5e, 0, 1, 51),
  });
  const vmac = await linkByName(connection, "vrrp.51");
  await setLink(connection, vmac?.index ?? 0, { addressGeneration: 1 });
  await setLink(connection, vmac?.index ?? 0, { up: true });
  expect(space.show("-d link show dev vrrp.51")[0]).toMatchObject({
    address: "00:00:5e:00:01:33",
    link: "br0",
    inet6_addr_gen_mode: "none",
    linkinfo: { info_kind: "macvlan", info_data: { mode: "private" } },
  });
  const ours = (await listLinks(connection)).map(({ index, name, mtu, mac, kind, master, up }) => ({
    index,
    name,
    mtu,
    mac: formatMac(mac),
    kind,
    master,
    up,
  }));
  const shown = space.show("-d link show");
  const theirs = shown.map((link) => ({
    index: link.ifindex,
    name: link.ifname,
    mtu: link.mtu,
    mac: link.address,
    kind: (link.linkinfo as { info_kind?: string } | undefined)?.info_kind,
    master: shown.find((other) => other.ifname === link.master)?.ifindex,
    up: (link.flags as string[]).includes("UP"),
  }));
  expect(ours).toEqual(theirs);

  await setLink(connection, v0.index, { up: false, master: 0 });
  await setLink(connection, v0.index, { name: "renamed" });
  expect(await linkByName(connection, "v0")).toBeUndefined();
  expect((await linkByName(connection, "renamed"))?.master).toBeUndefined();
  await deleteLink(connection, v0.index, "renamed");
  expect(await refusal(deleteLink(connection, v0.index, "renamed"))).toBe("delete link renamed: ENODEV");
});

test("a watch hears of links and addresses, and of nothing when only a lifetime is renewed", async () => {
  const index = await bridge("w0");
  const heard: string[] = [];
  const tell = (change: Change) => {
    if (change.object === "link") heard.push(`${change.kind} link ${change.link.name}`);
    else if (change.object === "address" && change.address.family === 4) {
      heard.push(`${change.kind} ${formatAddress(change.address.address)}`);
    }
  };
  const watch = openWatch({ onChange: tell });
  try {
    await watch.ready;
    expect(heard).toEqual([]);
    const entry = { ...numbered(index, 1), validLifetime: 100, preferredLifetime: 100 };
    await addAddress(connection, entry);
    await addAddress(connection, { ...entry, validLifetime: 500, preferredLifetime: 500 }, { replace: true });
    await until("the renewal is in the table", () => watch.addresses(index).some((found) => found.validLifetime > 100));
    await setLink(connection, index, { name: "w1" });
    await setLink(connection, index, { up: false, mtu: 1280 });
    await deleteLink(connection, index);
    await until("the link is gone", () => !watch.links.has(index));
    expect(watch.linkByName("w1")).toBeUndefined();
    expect(watch.addresses(index)).toEqual([]);
    // The kernel tells of one change in several steps. With its link, the address was given another label.
    expect(heard.filter((line, i) => line !== heard[i - 1])).toEqual([
      "added 10.8.0.1",
      "changed link w1",
      "changed 10.8.0.1",
      "changed link w1",
      "removed 10.8.0.1",
      "removed link w1",
    ]);
    const again = await bridge("w1");
    await until("the link is back", () => watch.linkByName("w1")?.index === again);
  } finally {
    watch.close();
  }
});

test("after an overrun the tables are read again and the differences told", async () => {
  const index = await bridge("o0");
  const before = Array.from({ length: 50 }, (_, i) => numbered(index, i));
  connection.postMany(before.map((entry) => newAddress(entry)));
  const known = new Map<string, number>();
  const reasons: string[] = [];
  const watch = openWatch({
    receiveBuffer: 8192,
    onResync: (reason) => reasons.push(reason),
    onChange: (change) => {
      if (change.object !== "address" || change.address.index !== index) return;
      if (change.kind === "removed") known.delete(addressKey(change.address));
      else known.set(addressKey(change.address), change.address.flags);
    },
  });
  try {
    await watch.ready;
    for (const entry of watch.addresses(index)) known.set(addressKey(entry), entry.flags);
    expect(known.size).toBeGreaterThanOrEqual(50);
    // All in one turn of the loop: thousands of events for a queue that holds about ten.
    const added = Array.from({ length: 1500 }, (_, i) => numbered(index, 100 + i));
    connection.postMany(added.map((entry) => newAddress(entry)));
    connection.postMany(before.map((entry) => oldAddress(entry)));
    connection.postMany(added.slice(0, 500).map((entry) => oldAddress(entry)));
    await connection.settle();
    await until("the table is as the kernel's", async () => {
      const fresh = await listAddresses(connection, undefined, index);
      return JSON.stringify(keys(fresh)) === JSON.stringify(keys(watch.addresses(index)));
    });
    expect(watch.overruns).toBeGreaterThan(0);
    expect(reasons[0]).toBe("events were lost");
    expect([...known.keys()].sort()).toEqual(watch.addresses(index).map(addressKey).sort());
    // Events go on as before.
    await addAddress(connection, { ...numbered(index, 9000), flags: IFA_F_NODAD });
    await until("an event after the overrun", () =>
      known.has(addressKey(watch.addresses(index).at(-1) as AddressEntry)),
    );
  } finally {
    watch.close();
  }
});

test("what changes while the first dump runs is in the table", async () => {
  const index = await bridge("d0");
  const entries = Array.from({ length: 3000 }, (_, i) => numbered(index, i));
  connection.postMany(entries.map((entry) => newAddress(entry)));
  await connection.settle();
  const watch = openWatch({ onChange: () => {} });
  try {
    for (let i = 0; i < 3000; i += 50) {
      connection.postMany(entries.slice(i, i + 25).map((entry) => oldAddress(entry)));
      await new Promise(setImmediate);
    }
    await watch.ready;
    await until("the table is as the kernel's", async () => {
      const fresh = await listAddresses(connection, undefined, index);
      return JSON.stringify(keys(fresh)) === JSON.stringify(keys(watch.addresses(index)));
    });
    expect(watch.addresses(index).filter(({ family }) => family === 4).length).toBe(1500);
  } finally {
    watch.close();
  }
});

test("several large dumps asked for at once are taken one after the other", async () => {
  const index = await bridge("l0");
  const entries = Array.from({ length: 5000 }, (_, i) => numbered(index, i));
  for (let i = 0; i < entries.length; i += 500) {
    connection.postMany(entries.slice(i, i + 500).map((entry) => newAddress(entry)));
    await connection.settle();
  }
  const [first, links, second] = await Promise.all([
    listAddresses(connection, 4, index),
    listLinks(connection),
    listAddresses(connection, 4),
  ]);
  expect(first.length).toBe(5000);
  expect(links.some((link) => link.name === "l0")).toBe(true);
  expect(second.filter((entry) => entry.index === index).length).toBe(5000);
});

test("dumps of a table that another process keeps changing are complete or say that they are not", async () => {
  const index = await bridge("c0");
  const stable = Array.from({ length: 2000 }, (_, i) => numbered(index, i));
  connection.postMany(stable.map((entry) => newAddress(entry)));
  await bridge("c1");
  const lines = Array.from(
    { length: 20_000 },
    (_, i) => `addr ${i % 2 === 0 ? "add" : "del"} 10.9.0.${(i >> 1) & 255}/32 dev c1`,
  );
  const churn = space.start(lines);
  let whole = 0;
  let refused = 0;
  for (let i = 0; i < 30; i++) {
    try {
      const found = await listAddresses(connection, 4);
      expect(found.filter((entry) => entry.index === index).length).toBe(2000);
      whole += 1;
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.code !== "EINTR") throw error;
      refused += 1;
    }
  }
  await churn;
  expect(whole + refused).toBe(30);
  expect((await listAddresses(connection, 4, index)).length).toBe(2000);
});

// The watch against a fake kernel: what is in the tables, and what is told, whatever the order of events and dumps.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { encodeNewAddress, IFA_F_DEPRECATED, type NewAddress } from "../../src/netlink/address.ts";
import { Connection } from "../../src/netlink/connection.ts";
import * as k from "../../src/netlink/constants.ts";
import { encodeSetLink } from "../../src/netlink/link.ts";
import { type Change, Watch, type WatchOptions } from "../../src/netlink/watch.ts";
import { formatAddress } from "../../src/wire/address.ts";
import { done, FakeKernel, message, microtasks, part } from "../support/netlink-kernel.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

function address(last: number, more: Partial<NewAddress> = {}): Uint8Array {
  const entry = { family: 4, index: 2, address: Uint8Array.of(192, 0, 2, last), prefixLength: 24, ...more } as const;
  return encodeNewAddress(entry);
}

function link(index: number, name: string, more = {}): Uint8Array {
  return encodeSetLink(index, { name, mtu: 1500, ...more });
}

class Scene {
  readonly events = new FakeKernel();
  readonly requests = new FakeKernel();
  readonly heard: string[] = [];
  readonly resyncs: string[] = [];
  readonly watch: Watch;

  constructor(options: Partial<WatchOptions> = { addresses: true }) {
    this.watch = new Watch(this.events, new Connection(this.requests), {
      onChange: (change) => this.heard.push(describe(change)),
      onResync: (reason) => this.resyncs.push(reason),
      ...options,
    });
  }

  event(type: number, body: Uint8Array, flags = 0): void {
    this.events.put(message(type, flags, 0, body));
  }

  /** Answers the dump that was asked for last. */
  async dump(type: number, ...bodies: Uint8Array[]): Promise<void> {
    const sequence = this.requests.requests.at(-1)?.sequence ?? 0;
    this.requests.put(...(bodies.length > 0 ? [part(type, sequence, 0, ...bodies)] : []), done(sequence));
    await this.turn();
  }

  async turn(): Promise<void> {
    this.events.turn();
    this.requests.turn();
    await microtasks();
  }

  get dumps(): number {
    return this.requests.requests.length;
  }

  get addresses(): string[] {
    return this.watch
      .addresses(2)
      .map(({ address }) => `${address[3]}`)
      .sort();
  }
}

function describe(change: Change): string {
  switch (change.object) {
    case "link":
      return `${change.kind} ${change.before ? `${change.before.name} → ` : ""}${change.link.name}`;
    case "address":
      return `${change.kind} ${formatAddress(change.address.address)}`;
    default:
      return `${change.kind} ${change.object}`;
  }
}

async function ready(options?: Partial<WatchOptions>): Promise<Scene> {
  const scene = new Scene(options);
  await scene.dump(k.RTM_NEWADDR, address(1), address(2));
  await scene.watch.ready;
  return scene;
}

test("what is there at first is in the table and not told; later events are both", async () => {
  const scene = await ready();
  expect([scene.addresses, scene.heard]).toEqual([["1", "2"], []]);
  scene.event(k.RTM_NEWADDR, address(3));
  scene.event(k.RTM_DELADDR, address(1));
  await scene.turn();
  expect([scene.addresses, scene.heard]).toEqual([
    ["2", "3"],
    ["added 192.0.2.3", "removed 192.0.2.1"],
  ]);
  expect(scene.dumps).toBe(1);
});

test("a renewed lifetime is in the table and not told; a changed flag is", async () => {
  const scene = await ready();
  scene.event(k.RTM_NEWADDR, address(1, { validLifetime: 10, preferredLifetime: 5 }));
  await scene.turn();
  expect(scene.watch.addresses(2)[0]).toMatchObject({ validLifetime: 10, preferredLifetime: 5 });
  expect(scene.heard).toEqual([]);
  scene.event(k.RTM_NEWADDR, address(1, { flags: IFA_F_DEPRECATED, validLifetime: 10, preferredLifetime: 0 }));
  await scene.turn();
  expect(scene.heard).toEqual(["changed 192.0.2.1"]);
});

test("IPv4 addresses that differ in prefix length or far end are different entries", async () => {
  const scene = await ready();
  scene.event(k.RTM_NEWADDR, address(1, { prefixLength: 32 }));
  scene.event(k.RTM_NEWADDR, address(1, { peer: Uint8Array.of(10, 0, 0, 1) }));
  scene.event(k.RTM_DELADDR, address(1));
  await scene.turn();
  expect(scene.addresses).toEqual(["1", "1", "2"]);
});

test("an event that comes while the dump runs overrules the dump, in both directions", async () => {
  const scene = new Scene();
  scene.event(k.RTM_DELADDR, address(1));
  scene.event(k.RTM_NEWADDR, address(3));
  scene.events.turn();
  // Taken before the events: still with the first, not yet with the third.
  await scene.dump(k.RTM_NEWADDR, address(1), address(2));
  expect(scene.addresses).toEqual(["2", "3"]);
});

test("an event still unread when the dump ends overrules it as well", async () => {
  const scene = new Scene();
  scene.event(k.RTM_DELADDR, address(1));
  await scene.dump(k.RTM_NEWADDR, address(1), address(2));
  expect(scene.addresses).toEqual(["2"]);
});

test("after an overrun the old events are thrown away and the differences of a dump are told", async () => {
  const scene = await ready();
  scene.events.putError(105);
  // Older than what was lost: the address was added again, and that event is among the lost ones.
  scene.event(k.RTM_DELADDR, address(1));
  await scene.turn();
  expect([scene.resyncs, scene.watch.overruns, scene.heard]).toEqual([["events were lost"], 1, []]);
  await scene.dump(k.RTM_NEWADDR, address(1), address(3));
  expect([scene.addresses, scene.heard]).toEqual([
    ["1", "3"],
    ["removed 192.0.2.2", "added 192.0.2.3"],
  ]);
});

test("an overrun that the loop reports as an error of the socket is the same", async () => {
  const scene = await ready();
  scene.events.fail(105);
  await scene.dump(k.RTM_NEWADDR, address(1));
  expect(scene.heard).toEqual(["removed 192.0.2.2"]);
});

test("after any other failure to read events the tables are read again at once, not when the next event comes", async () => {
  const scene = await ready();
  scene.events.putError(12);
  await scene.turn();
  expect([scene.dumps, scene.resyncs]).toEqual([2, ["reading events failed (ENOMEM)"]]);
  await scene.dump(k.RTM_NEWADDR, address(1));
  expect(scene.heard).toEqual(["removed 192.0.2.2"]);
});

test("an overrun during a dump makes that dump worthless", async () => {
  const scene = new Scene();
  scene.events.putError(105);
  scene.events.turn();
  await scene.dump(k.RTM_NEWADDR, address(1));
  expect([scene.dumps, scene.addresses]).toEqual([2, []]);
  await scene.dump(k.RTM_NEWADDR, address(2));
  expect(scene.addresses).toEqual(["2"]);
});

test("an event longer than the receive buffer is a lost event", async () => {
  const scene = await ready();
  scene.events.putTruncated(message(k.RTM_NEWADDR, 0, 0, address(9)));
  await scene.turn();
  await scene.dump(k.RTM_NEWADDR, address(1), address(2), address(9));
  expect(scene.heard).toEqual(["added 192.0.2.9"]);
});

test("an event from another process is not believed", async () => {
  const scene = await ready();
  scene.events.putFrom(77, message(k.RTM_DELADDR, 0, 0, address(1)));
  await scene.turn();
  expect(scene.addresses).toEqual(["1", "2"]);
});

test("when the first dump fails, ready says why and the watch is closed", async () => {
  const scene = new Scene();
  const sequence = scene.requests.requests.at(-1)?.sequence ?? 0;
  scene.requests.put(done(sequence, 12));
  scene.requests.turn();
  await expect(scene.watch.ready).rejects.toThrow("list addresses: ENOMEM");
  expect([scene.events.closed, scene.requests.closed]).toEqual([true, true]);
});

test("a table that changes during every attempt of the first dump is tried again later", async () => {
  const scene = new Scene();
  for (let attempt = 0; attempt < 8; attempt++) {
    scene.requests.put(done(scene.requests.requests.at(-1)?.sequence ?? 0, 0, k.NLM_F_DUMP_INTR));
    scene.requests.turn();
  }
  await microtasks();
  expect(scene.resyncs).toEqual(["list addresses: EINTR (the table changed during each of 8 attempts)"]);
  await vi.advanceTimersByTimeAsync(100);
  await scene.dump(k.RTM_NEWADDR, address(1));
  await scene.watch.ready;
  expect([scene.addresses, scene.heard]).toEqual([["1"], []]);
});

test("when a later dump fails it is taken again after a while, and not before", async () => {
  const scene = await ready();
  scene.events.putError(105);
  await scene.turn();
  scene.requests.put(done(scene.requests.requests.at(-1)?.sequence ?? 0, 12));
  await scene.turn();
  scene.event(k.RTM_NEWADDR, address(7));
  await scene.turn();
  expect([scene.dumps, scene.resyncs]).toEqual([2, ["events were lost", "list addresses: ENOMEM"]]);
  await vi.advanceTimersByTimeAsync(100);
  expect(scene.dumps).toBe(3);
  await scene.dump(k.RTM_NEWADDR, address(1));
  expect(scene.addresses).toEqual(["1"]);
});

test("links are found by name through renaming and swapping, and take their addresses with them", async () => {
  const scene = new Scene({ links: true, addresses: true });
  const [links, addresses] = scene.requests.requests;
  expect(addresses).toBeUndefined();
  scene.requests.put(part(k.RTM_NEWLINK, links?.sequence ?? 0, 0, link(2, "eth0"), link(3, "eth1")));
  await scene.dump(k.RTM_NEWLINK);
  await scene.dump(k.RTM_NEWADDR, address(1));
  await scene.watch.ready;
  scene.event(k.RTM_NEWLINK, link(2, "spare"));
  scene.event(k.RTM_NEWLINK, link(3, "eth0"));
  scene.event(k.RTM_NEWLINK, link(2, "eth1"));
  scene.event(k.RTM_NEWLINK, link(2, "eth1"));
  scene.event(k.RTM_DELLINK, link(2, "eth1"));
  await scene.turn();
  expect(scene.heard).toEqual([
    "changed eth0 → spare",
    "changed eth1 → eth0",
    "changed spare → eth1",
    "removed eth1",
    "removed 192.0.2.1",
  ]);
  expect([scene.watch.linkByName("eth0")?.index, scene.watch.linkByName("eth1"), scene.addresses]).toEqual([
    3,
    undefined,
    [],
  ]);
});

test("nothing is told after close, even by the rest of the same batch", async () => {
  const heard: string[] = [];
  const scene: Scene = await ready({
    addresses: true,
    onChange: (change) => {
      heard.push(describe(change));
      scene.watch.close();
    },
  });
  scene.event(k.RTM_NEWADDR, address(3));
  scene.event(k.RTM_NEWADDR, address(4));
  await scene.turn();
  expect(heard).toEqual(["added 192.0.2.3"]);
});

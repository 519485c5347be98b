import { expect, test } from "vitest";
import { type AddressEntry, encodeNewAddress } from "../../src/netlink/address.ts";
import { Connection } from "../../src/netlink/connection.ts";
import { NLM_F_ACK, RTM_NEWADDR } from "../../src/netlink/constants.ts";
import { KernelAddresses } from "../../src/vrrp/address-requests.ts";
import { answer, FakeKernel, type Request } from "../support/netlink-kernel.ts";

const EADDRNOTAVAIL = 99;
const ENOBUFS = 105;

function entry(last: number, lifetime = 5): AddressEntry {
  const address = Uint8Array.of(192, 0, 2, last);
  const common = { family: 4, index: 1, address, prefixLength: 24, scope: 0, flags: 0, protocol: 0 } as const;
  return { ...common, validLifetime: lifetime, preferredLifetime: lifetime };
}

function lastByte({ body }: Request): number | undefined {
  // ifaddrmsg, then the header of the first attribute, IFA_LOCAL or IFA_ADDRESS.
  return body[8 + 4 + 3];
}

/** A kernel that has acted when a request is sent, and another thread whose requests it holds up until `release`. */
function host() {
  const held: Request[] = [];
  const order: string[] = [];
  const failed: string[] = [];
  const flushes: number[] = [];
  const note = (request: Request) => {
    const long = Buffer.from(request.body).equals(encodeNewAddress(entry(lastByte(request) ?? 0, 60)));
    order.push(`${request.type === RTM_NEWADDR ? "add" : "delete"} ${lastByte(request)}${long ? " for 60 s" : ""}`);
  };
  let refusal = 0;
  const kernel = new FakeKernel((request) => {
    note(request);
    return (request.flags & NLM_F_ACK) === 0 ? [] : [answer(request.sequence, refusal)];
  });
  const aside = new FakeKernel((request) => {
    held.push(request);
    return [];
  });
  const connections = [new Connection(kernel), new Connection(aside)] as const;
  const addresses = new KernelAddresses(
    ...connections,
    () => "eth0",
    (after) => flushes.push(after),
  );
  return {
    addresses,
    kernel,
    aside,
    order,
    failed,
    flushes,
    renew: (...lasts: number[]) =>
      addresses.renew(
        lasts.map((last) => entry(last)),
        (refused) => failed.push(addresses.describe(refused)),
      ),
    refuse: (errno: number) => {
      refusal = errno;
    },
    /** The other thread gets on. */
    release: (errno = 0) => {
      for (const request of held.splice(0)) {
        note(request);
        if (errno !== 0 || (request.flags & NLM_F_ACK) !== 0) aside.put(answer(request.sequence, errno));
      }
      aside.turn();
      kernel.turn();
    },
  };
}

test("renewals are collected and handed to the other thread, 32 at a time, the next when those are answered", () => {
  const { addresses, kernel, aside, flushes, renew, release } = host();
  renew(...Array.from({ length: 40 }, (_, i) => i));
  expect([flushes, aside.sends, kernel.sends]).toEqual([[1], [], []]);
  addresses.flush();
  addresses.flush();
  renew(50);
  expect([flushes, aside.sends]).toEqual([[1], [32]]);
  release();
  expect(flushes).toEqual([1, 0]);
  addresses.flush();
  expect([aside.sends, kernel.sends]).toEqual([[32, 9], []]);
  release();
  expect(flushes).toEqual([1, 0]);
});

test("an addition and a deletion do not wait for renewals of others", () => {
  const { addresses, order, renew, release } = host();
  renew(1);
  addresses.flush();
  addresses.add(entry(2), () => {});
  addresses.delete(entry(3), () => {});
  expect(order).toEqual(["add 2", "delete 3"]);
  release();
  expect(order).toEqual(["add 2", "delete 3", "add 1"]);
});

test("a renewal that has not been handed over is dropped with its address", () => {
  const { addresses, aside, order, renew } = host();
  renew(1, 2);
  addresses.delete(entry(1), () => {});
  addresses.flush();
  expect(order).toEqual(["delete 1"]);
  expect(aside.requests.map(lastByte)).toEqual([2]);
});

test("an address that is deleted while its renewal is under way is deleted at once and again after it", () => {
  const { addresses, order, failed, renew, release, kernel } = host();
  const heard: unknown[] = [];
  renew(1, 2);
  addresses.flush();
  addresses.delete(entry(1), (error) => heard.push(error?.message));
  expect(order).toEqual(["delete 1"]);
  kernel.turn();
  expect(heard).toEqual([]);
  release();
  expect(order).toEqual(["delete 1", "add 1", "add 2", "delete 1"]);
  expect([heard, failed]).toEqual([[undefined], []]);
});

test("the deletion counts, whatever becomes of the renewal", () => {
  const { addresses, order, failed, renew, release, refuse, kernel } = host();
  const heard: unknown[] = [];
  renew(1);
  addresses.flush();
  addresses.delete(entry(1), (error) => heard.push(error?.message));
  kernel.turn();
  refuse(EADDRNOTAVAIL);
  release(ENOBUFS);
  expect(order).toEqual(["delete 1", "add 1", "delete 1"]);
  expect([heard, failed]).toEqual([[undefined], []]);
});

test("an address that is taken again while its renewal is under way stays", () => {
  const { addresses, order, renew, release } = host();
  const heard: string[] = [];
  renew(1);
  addresses.flush();
  addresses.delete(entry(1), () => heard.push("deleted"));
  addresses.add(entry(1), () => heard.push("added"));
  release();
  expect(order).toEqual(["delete 1", "add 1", "add 1"]);
  expect(heard).toEqual(["deleted", "added"]);
});

test.each(["taken again", "taken over by another instance"])(
  "an address %s with another lifetime while its renewal is under way has that one in the end",
  (how) => {
    const { addresses, order, renew, release } = host();
    const heard: unknown[] = [];
    renew(1);
    addresses.flush();
    renew(1);
    if (how === "taken again") addresses.delete(entry(1), () => {});
    addresses.add(entry(1, 60), (error) => heard.push(error));
    release();
    addresses.flush();
    const before = how === "taken again" ? ["delete 1"] : [];
    expect(order).toEqual([...before, "add 1 for 60 s", "add 1", "add 1 for 60 s"]);
    expect(heard).toEqual([undefined]);
  },
);

test("an address that is given up after it was added with another lifetime stays away", () => {
  const { addresses, order, renew, release } = host();
  renew(1);
  addresses.flush();
  addresses.add(entry(1, 60), () => {});
  addresses.delete(entry(1), () => {});
  release();
  expect(order).toEqual(["add 1 for 60 s", "delete 1", "add 1", "delete 1"]);
});

test("deletions that are made together are as careful", () => {
  const { addresses, kernel, order, renew, release } = host();
  renew(1);
  addresses.flush();
  addresses.deletingTogether(() => {
    for (const last of [1, 2]) addresses.delete(entry(last), () => {});
  });
  expect([kernel.sends, order]).toEqual([[2], ["delete 1", "delete 2"]]);
  release();
  expect(order).toEqual(["delete 1", "delete 2", "add 1", "delete 1"]);
});

test("a renewal that is refused is told with its address", () => {
  const { addresses, failed, renew, release } = host();
  renew(1);
  addresses.flush();
  release(ENOBUFS);
  expect(failed).toEqual(["192.0.2.1/24 on eth0"]);
});

test("settling waits for the deletion after the renewal", async () => {
  const { addresses, order, renew, release } = host();
  renew(1);
  addresses.flush();
  addresses.delete(entry(1), () => order.push("told"));
  const settled = addresses.settle().then(() => order.push("settled"));
  await Promise.resolve();
  release();
  await settled;
  expect(order).toEqual(["delete 1", "add 1", "delete 1", "told", "settled"]);
});

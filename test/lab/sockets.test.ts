/** Sockets that need root: raw, packet and their errors, on a cable between two network namespaces. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Batch } from "../../src/socket/batch.ts";
import { now } from "../../src/socket/clock.ts";
import {
  AF_INET,
  AF_INET6,
  AF_PACKET,
  ETH_P_ARP,
  IP_ADD_MEMBERSHIP,
  IP_MULTICAST_ALL,
  IP_MULTICAST_IF,
  IP_MULTICAST_TTL,
  IP_PKTINFO,
  IP_RECVTTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_VRRP,
  IPV6_ADD_MEMBERSHIP,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVPKTINFO,
  PACKET_HOST,
  SO_TIMESTAMPNS,
  SOCK_RAW,
  SOL_SOCKET,
} from "../../src/socket/constants.ts";
import { ErrorNumber } from "../../src/socket/errno.ts";
import { acceptEtherTypes, acceptWhen, dropAll, type FilterTest, SKF_NET_OFF } from "../../src/socket/filter.ts";
import { interfaceIndex } from "../../src/socket/interface.ts";
import { inNetworkNamespace } from "../../src/socket/namespace.ts";
import { lockMemory, schedulingOf, setNice, setRealtime } from "../../src/socket/scheduling.ts";
import {
  addressOf,
  membership4,
  membership6,
  packetTypeOf,
  sockaddrIn,
  sockaddrIn6,
  sockaddrLinkLayer,
} from "../../src/socket/sockaddr.ts";
import { Socket } from "../../src/socket/socket.ts";
import { allVrrpRouters4, allVrrpRouters6, formatAddress } from "../../src/wire/address.ts";

const here = `vp${process.pid}a`;
const there = `vp${process.pid}b`;
const ip = (...words: string[]) => execFileSync("ip", words, { encoding: "utf8" });

beforeAll(() => {
  for (const name of [here, there]) ip("netns", "add", name);
  ip("-n", here, "link", "add", "left", "type", "veth", "peer", "name", "right", "netns", there);
  for (const [name, device, host] of [
    [here, "left", "1"],
    [there, "right", "2"],
  ] as const) {
    ip("-n", name, "address", "add", `192.0.2.${host}/24`, "dev", device);
    ip("-n", name, "address", "add", `fe80::${host}/64`, "dev", device, "nodad");
    ip("-n", name, "link", "set", device, "addrgenmode", "none");
    ip("-n", name, "link", "set", device, "up");
  }
});

afterAll(() => {
  for (const name of [here, there]) execFileSync("ip", ["netns", "del", name]);
});

const within = <T>(namespace: string, action: () => T): T => inNetworkNamespace(`/run/netns/${namespace}`, action);

function open(namespace: string, domain: number, protocol: number): Socket {
  const socket = within(namespace, () => Socket.open(domain, SOCK_RAW, protocol, `raw socket ${domain}/${protocol}`));
  onTestFinished(() => socket.close());
  return socket;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited 10 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Everything the socket gets, copied. */
function collect(socket: Socket) {
  const messages: { bytes: Uint8Array; source: Uint8Array; ttl: number; at: number; index: number; to: string }[] = [];
  const errors: number[] = [];
  const take = (batch: Batch) => {
    for (let i = 0; i < batch.count; i++) {
      const to = batch.destination(i);
      messages.push({
        bytes: batch.bytes(i).slice(),
        source: batch.source(i).slice(),
        ttl: batch.ttl(i),
        at: batch.at(i),
        index: batch.interfaceIndex(i),
        to: to === undefined ? "" : formatAddress(to),
      });
    }
  };
  socket.watch(
    () => {
      const received = socket.receive();
      if (typeof received === "number") errors.push(-received);
      else take(received);
    },
    (errno) => errors.push(errno),
  );
  return { messages, errors };
}

const payload = Uint8Array.of(0x31, 51, 100, 1, 0, 100, 0, 0, 192, 0, 2, 10);

function sender4(ttl: number): Socket {
  const socket = open(here, AF_INET, IPPROTO_VRRP);
  const index = within(here, () => interfaceIndex("left"));
  socket.setOption(IPPROTO_IP, IP_MULTICAST_TTL, ttl);
  socket.setOption(IPPROTO_IP, IP_MULTICAST_IF, membership4(Uint8Array.of(0, 0, 0, 0), index));
  socket.attachFilter(dropAll());
  return socket;
}

function receiver4(): Socket {
  const socket = open(there, AF_INET, IPPROTO_VRRP);
  const index = within(there, () => interfaceIndex("right"));
  socket.bindToDevice("right");
  socket.setOption(IPPROTO_IP, IP_MULTICAST_ALL, 0);
  socket.setOption(IPPROTO_IP, IP_RECVTTL, 1);
  socket.setOption(IPPROTO_IP, IP_PKTINFO, 1);
  socket.setOption(SOL_SOCKET, SO_TIMESTAMPNS, 1);
  socket.setOption(IPPROTO_IP, IP_ADD_MEMBERSHIP, membership4(allVrrpRouters4, index));
  return socket;
}

test("an IPv4 multicast arrives with its TTL, interface, group and kernel timestamp", async () => {
  const { messages, errors } = collect(receiver4());
  const sender = sender4(255);
  const before = now();
  expect(sender.send(payload, sockaddrIn(allVrrpRouters4))).toBe(payload.length);
  await until(() => messages.length > 0, "the packet");
  const [message] = messages;
  expect(message?.bytes.subarray(20)).toEqual(payload);
  expect(message).toMatchObject({ ttl: 255, to: "224.0.0.18", index: within(there, () => interfaceIndex("right")) });
  expect(addressOf(message?.source ?? new Uint8Array())).toEqual(Uint8Array.of(192, 0, 2, 1));
  expect(message?.at).toBeGreaterThan(before - 1);
  expect(message?.at).toBeLessThan(now());
  expect(errors).toEqual([]);
});

test("an IPv6 multicast arrives with its hop limit, interface and group", async () => {
  const receiver = open(there, AF_INET6, IPPROTO_VRRP);
  const right = within(there, () => interfaceIndex("right"));
  receiver.bindToDevice("right");
  receiver.setOption(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
  receiver.setOption(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  receiver.setOption(IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, membership6(allVrrpRouters6, right));
  const { messages } = collect(receiver);
  const sender = open(here, AF_INET6, IPPROTO_VRRP);
  const left = within(here, () => interfaceIndex("left"));
  sender.setOption(IPPROTO_IPV6, IPV6_MULTICAST_IF, left);
  sender.setOption(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255);
  // The kernel makes the IPv6 side of a new link ready in the background, and drops what is sent before without a word.
  const send = () => sender.send(payload, sockaddrIn6(allVrrpRouters6, left));
  await until(() => send() === payload.length && messages.length > 0, "the packet");
  expect(messages[0]).toMatchObject({ bytes: payload, ttl: 255, to: "ff02::12", index: right });
  expect(addressOf(messages[0]?.source ?? new Uint8Array())?.at(-1)).toBe(1);
});

test("a kernel filter on TTL, version and router lets only the wanted packet through", async () => {
  const afterHeader = (offset: number, ...oneOf: number[]): FilterTest => {
    return { offset, size: 1, oneOf, afterIpv4Header: true };
  };
  const receiver = receiver4();
  receiver.attachFilter(
    acceptWhen([{ offset: 8, size: 1, oneOf: [255] }, afterHeader(0, 0x31, 0x21), afterHeader(1, 51)]),
  );
  const { messages } = collect(receiver);
  const group = sockaddrIn(allVrrpRouters4);
  sender4(254).send(payload, group);
  sender4(255).send(Uint8Array.of(0x31, 52), group);
  sender4(255).send(Uint8Array.of(0x41, 51), group);
  sender4(255).send(payload, group);
  await until(() => messages.length > 0, "the wanted packet");
  expect(messages.map((message) => message.bytes.length)).toEqual([20 + payload.length]);
});

test("a kernel filter reaches the IPv6 hop limit, which the socket's data do not show", async () => {
  const receiver = open(there, AF_INET6, IPPROTO_VRRP);
  const right = within(there, () => interfaceIndex("right"));
  receiver.attachFilter(acceptWhen([{ offset: SKF_NET_OFF + 7, size: 1, oneOf: [255] }]));
  receiver.setOption(IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, membership6(allVrrpRouters6, right));
  const { messages } = collect(receiver);
  const sender = open(here, AF_INET6, IPPROTO_VRRP);
  const left = within(here, () => interfaceIndex("left"));
  for (const [hops, mark] of [
    [254, 1],
    [255, 2],
  ] as const) {
    sender.setOption(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);
    sender.send(Uint8Array.of(mark), sockaddrIn6(allVrrpRouters6, left));
  }
  await until(() => messages.length > 0, "the packet with hop limit 255");
  expect(messages.map((message) => message.bytes[0])).toEqual([2]);
});

test("a packet socket tells when its link goes down, works again when it is up, and does not spin", async () => {
  const right = within(there, () => interfaceIndex("right"));
  const left = within(here, () => interfaceIndex("left"));
  const receiver = open(there, AF_PACKET, 0);
  receiver.attachFilter(acceptEtherTypes([ETH_P_ARP]));
  receiver.bind(sockaddrLinkLayer(right, ETH_P_ARP));
  const { messages, errors } = collect(receiver);
  const sender = open(here, AF_PACKET, 0);
  const frame = new Uint8Array(60).fill(0xff, 0, 6);
  frame.set([2, 0, 0, 0, 0, 9, 8, 6], 6);
  const wire = sockaddrLinkLayer(left, ETH_P_ARP);

  expect(sender.send(frame, wire)).toBe(frame.length);
  await until(() => messages.length === 1, "the frame");
  expect(messages[0]).toMatchObject({ bytes: frame, index: right });
  // A broadcast frame; to the host itself it would be PACKET_HOST.
  expect(packetTypeOf(messages[0]?.source ?? new Uint8Array())).toBe(PACKET_HOST + 1);

  for (let round = 1; round <= 2; round++) {
    ip("-n", there, "link", "set", "right", "down");
    await until(() => errors.length === round, "the error");
    expect(receiver.send(frame, sockaddrLinkLayer(right, ETH_P_ARP))).toBe(-ErrorNumber.ENETDOWN);
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(60_000);
    ip("-n", there, "link", "set", "right", "up");
    await until(() => sender.send(frame, wire) > 0 && messages.length > round, "a frame after the link came back");
  }
  expect(new Set(errors)).toEqual(new Set([ErrorNumber.ENETDOWN]));
  ip("-n", there, "address", "replace", "fe80::2/64", "dev", "right", "nodad");
});

test("an interface that vanishes is reported, and other sockets of the process go on", async () => {
  ip("-n", here, "link", "add", "gone", "type", "veth", "peer", "name", "gone2");
  ip("-n", here, "link", "set", "gone", "up");
  const index = within(here, () => interfaceIndex("gone"));
  const packet = open(here, AF_PACKET, 0);
  packet.bind(sockaddrLinkLayer(index, ETH_P_ARP));
  const raw = open(here, AF_INET, IPPROTO_VRRP);
  raw.bindToDevice("gone");
  const { errors } = collect(packet);
  const other = collect(receiver4());
  ip("-n", here, "link", "del", "gone");
  await until(() => errors.length > 0, "the error");
  expect(new Set(errors)).toEqual(new Set([ErrorNumber.ENETDOWN]));
  expect(packet.send(new Uint8Array(60), sockaddrLinkLayer(index, ETH_P_ARP))).toBe(-ErrorNumber.ENXIO);
  expect(raw.send(payload, sockaddrIn(allVrrpRouters4))).toBeLessThan(0);
  expect(sender4(255).send(payload, sockaddrIn(allVrrpRouters4))).toBe(payload.length);
  await until(() => other.messages.length > 0, "a packet on the other interface");
});

test("the real-time class reaches every thread, those started later too, and can be left", async () => {
  onTestFinished(() => setNice(0));
  setRealtime(10);
  expect(new Set(schedulingOf().map(({ policy, priority }) => `${policy} ${priority}`))).toEqual(new Set(["rr 10"]));
  const worker = new Worker("setInterval(() => {}, 1000)", { eval: true });
  await new Promise((resolve) => worker.once("online", resolve));
  expect(new Set(schedulingOf().map(({ policy }) => policy))).toEqual(new Set(["rr"]));
  await worker.terminate();
  setNice(-5);
  expect(new Set(schedulingOf().map(({ policy, nice }) => `${policy} ${nice}`))).toEqual(new Set(["other -5"]));
});

test("locked memory stays locked while V8 makes and collects code", () => {
  lockMemory();
  const locked = Number(/VmLck:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
  expect(locked).toBeGreaterThan(10_000);
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  // Code pages given back are what ended the process under mlockall.
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 300; i++) {
      const sum = new Function("n", `let s = ${i}; for (let k = 0; k < n; k++) s += k; return s;`) as (
        n: number,
      ) => number;
      for (let k = 0; k < 300; k++) sum(100);
    }
    collectGarbage();
  }
});

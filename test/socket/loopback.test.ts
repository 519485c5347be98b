/** Sending and receiving on the loopback interface. */
import { expect, test } from "vitest";
import { now } from "../../src/socket/clock.ts";
import {
  AF_INET6,
  AF_UNIX,
  IP_PKTINFO,
  IP_RECVTTL,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVPKTINFO,
  IPV6_UNICAST_HOPS,
  SO_RCVBUF,
  SO_TIMESTAMPNS,
  SOCK_DGRAM,
  SOL_SOCKET,
} from "../../src/socket/constants.ts";
import { ErrorNumber } from "../../src/socket/errno.ts";
import { interfaceIndex, interfaceName } from "../../src/socket/interface.ts";
import { addressOf, portOf, sockaddrIn, sockaddrIn6, sockaddrUnix } from "../../src/socket/sockaddr.ts";
import { Socket } from "../../src/socket/socket.ts";
import { batch, loopback4, loopback6, open, udp, until } from "./support.ts";

test("a datagram arrives with its bytes and its sender", () => {
  const [a, b] = [udp(), udp()];
  expect(a.send(Uint8Array.of(1, 2, 3), b.name())).toBe(3);
  const received = batch(b.receive());
  expect(received.count).toBe(1);
  expect(received.bytes(0)).toEqual(Uint8Array.of(1, 2, 3));
  expect(received.truncated(0)).toBe(false);
  expect(addressOf(received.source(0))).toEqual(loopback4);
  expect(portOf(received.source(0))).toBe(portOf(a.name()));
});

test("a send from another thread copies its bytes, arrives, and tells how it went, the socket closed or not", async () => {
  const [a, b] = [udp(), udp()];
  a.connect(b.name());
  const bytes = Uint8Array.of(7, 8);
  const sent = new Promise((resolve) => a.sendAside(bytes, resolve));
  bytes.fill(0);
  a.close();
  expect(await sent).toBe(2);
  await until(() => batch(b.receive()).count === 1, "the datagram");
  const closed = new Promise((resolve) => a.sendAside(bytes, resolve));
  expect(await closed).toBe(-ErrorNumber.EBADF);
});

test("without options the ancillary data are unknown, and arrival is the time of receive", () => {
  const socket = udp();
  socket.send(Uint8Array.of(1), socket.name());
  const before = now();
  const received = batch(socket.receive());
  expect([received.ttl(0), received.interfaceIndex(0), received.destination(0)]).toEqual([-1, 0, undefined]);
  expect(received.at(0)).toBeGreaterThanOrEqual(before);
  expect(received.at(0)).toBeLessThanOrEqual(now());
});

test("IPv4 TTL, interface, destination and kernel timestamp are delivered", () => {
  const socket = udp();
  socket.setOption(IPPROTO_IP, IP_RECVTTL, 1);
  socket.setOption(IPPROTO_IP, IP_PKTINFO, 1);
  socket.setOption(SOL_SOCKET, SO_TIMESTAMPNS, 1);
  socket.setOption(IPPROTO_IP, IP_TTL, 77);
  socket.send(Uint8Array.of(1), socket.name());
  const received = batch(socket.receive());
  expect(received.ttl(0)).toBe(77);
  expect(interfaceName(received.interfaceIndex(0))).toBe("lo");
  expect(received.destination(0)).toEqual(loopback4);
});

test("arrival is the kernel's timestamp on the monotonic clock, not the time of reading", async () => {
  const socket = udp();
  socket.setOption(SOL_SOCKET, SO_TIMESTAMPNS, 1);
  const arrival = async () => {
    const before = now();
    socket.send(Uint8Array.of(1), socket.name());
    const after = now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { before, after, at: batch(socket.receive()).at(0) };
  };
  let seen = await arrival();
  // The kernel switches stamping on in the background; a packet that came before is stamped when it is read.
  for (let i = 0; i < 20 && seen.at > seen.after + 1; i++) seen = await arrival();
  expect(seen.at).toBeGreaterThan(seen.before - 1);
  expect(seen.at).toBeLessThan(seen.after + 1);
});

test("IPv6 hop limit, interface and destination are delivered", () => {
  const socket = open(AF_INET6, SOCK_DGRAM);
  socket.bind(sockaddrIn6(loopback6));
  socket.setOption(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
  socket.setOption(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  socket.setOption(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255);
  socket.send(Uint8Array.of(1), socket.name());
  const received = batch(socket.receive());
  expect(received.ttl(0)).toBe(255);
  expect(received.interfaceIndex(0)).toBe(interfaceIndex("lo"));
  expect(received.destination(0)).toEqual(loopback6);
  expect(addressOf(received.source(0))).toEqual(loopback6);
});

test("one receive takes up to the batch size, in order", () => {
  const socket = udp({ batchSize: 4, slotSize: 16 });
  for (let i = 0; i < 6; i++) socket.send(Uint8Array.of(i), socket.name());
  const values = () => {
    const received = batch(socket.receive());
    return Array.from({ length: received.count }, (_, i) => received.bytes(i)[0]);
  };
  expect([values(), values(), values()]).toEqual([[0, 1, 2, 3], [4, 5], []]);
});

test("a message longer than a slot is cut, said to be, and harms no other", () => {
  const socket = udp({ batchSize: 4, slotSize: 8 });
  socket.send(new Uint8Array(100).fill(7), socket.name());
  socket.send(Uint8Array.of(1, 2), socket.name());
  const received = batch(socket.receive());
  expect([0, 1].map((i) => received.truncated(i))).toEqual([true, false]);
  expect(received.bytes(0)).toEqual(new Uint8Array(8).fill(7));
  expect(received.bytes(1)).toEqual(Uint8Array.of(1, 2));
});

test("an empty datagram counts", () => {
  const socket = udp();
  expect(socket.send(new Uint8Array(), socket.name())).toBe(0);
  const received = batch(socket.receive());
  expect([received.count, received.bytes(0).length]).toEqual([1, 0]);
});

test("reading past the batch is a mistake of the caller", () => {
  const received = batch(udp().receive());
  expect(() => received.bytes(0)).toThrow("message 0 of a batch of 0");
  expect(() => received.ttl(-1)).toThrow(RangeError);
});

test("a refused send is a value", () => {
  const socket = udp();
  expect(socket.send(new Uint8Array(70_000), socket.name())).toBe(-ErrorNumber.EMSGSIZE);
  expect(socket.send(Uint8Array.of(1), sockaddrIn(Uint8Array.of(255, 255, 255, 255), 9))).toBe(-ErrorNumber.EACCES);
  expect(socket.send(Uint8Array.of(1))).toBe(-ErrorNumber.EDESTADDRREQ);
});

test("a closed socket answers EBADF and stays harmless", () => {
  const socket = udp();
  const name = socket.name();
  socket.close();
  socket.close();
  expect([socket.closed, socket.descriptor]).toEqual([true, -1]);
  expect(socket.send(Uint8Array.of(1), name)).toBe(-ErrorNumber.EBADF);
  expect(socket.receive()).toBe(-ErrorNumber.EBADF);
  expect(() => socket.bind(name)).toThrow("bind test socket: EBADF (closed)");
  expect(() => socket.watch(() => {})).toThrow("watch test socket: EBADF");
});

test("options are written and read back", () => {
  const socket = udp();
  socket.setOption(SOL_SOCKET, SO_RCVBUF, 100_000);
  const value = new DataView(socket.getOption(SOL_SOCKET, SO_RCVBUF, 4).slice().buffer).getInt32(0, true);
  expect(value).toBe(200_000);
  expect(socket.getOption(IPPROTO_IP, IP_TTL, 64)).toHaveLength(4);
});

test("datagram sockets of the file system namespace and the abstract one work", () => {
  const name = sockaddrUnix(`@viprd-test-${process.pid}`);
  const server = open(AF_UNIX, SOCK_DGRAM);
  server.bind(name);
  const client = open(AF_UNIX, SOCK_DGRAM);
  expect(client.send(new TextEncoder().encode("READY=1"), name)).toBe(7);
  expect(new TextDecoder().decode(batch(server.receive()).bytes(0))).toBe("READY=1");
  expect(client.send(Uint8Array.of(1), sockaddrUnix("/nonexistent/socket"))).toBe(-ErrorNumber.ENOENT);
});

test("onReadable is called while something waits, and no more after close", async () => {
  const [socket, sender] = [udp({ batchSize: 1 }), udp()];
  const seen: (number | undefined)[] = [];
  socket.watch(() => {
    seen.push(batch(socket.receive()).bytes(0)[0]);
    if (seen.length === 3) socket.close();
  });
  const name = socket.name();
  for (let i = 0; i < 5; i++) sender.send(Uint8Array.of(i), name);
  await until(() => seen.length >= 3, "three messages");
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(seen).toEqual([0, 1, 2]);
});

test("watching again replaces the functions", async () => {
  const socket = udp();
  const calls: string[] = [];
  socket.watch(() => calls.push("first"));
  socket.watch(() => {
    calls.push("second");
    socket.receive();
  });
  socket.send(Uint8Array.of(1), socket.name());
  await until(() => calls.length > 0, "a call");
  expect(calls).toEqual(["second"]);
});

test("batch and slot sizes out of range are refused", () => {
  const attempt = (options: object) => () => Socket.open(2, SOCK_DGRAM, 0, "x", options);
  expect(attempt({ batchSize: 65 })).toThrow("batchSize must be from 1 to 64, got 65");
  expect(attempt({ batchSize: 0 })).toThrow(RangeError);
  expect(attempt({ slotSize: 0 })).toThrow(RangeError);
});

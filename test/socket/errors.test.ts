/** Errors that a socket raises by itself: told once, and the socket goes on. */
import { expect, test } from "vitest";
import {
  AF_INET,
  AF_NETLINK,
  IP_RECVERR,
  IPPROTO_IP,
  NETLINK_ROUTE,
  SO_RCVBUF,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_SOCKET,
} from "../../src/socket/constants.ts";
import { ErrorNumber } from "../../src/socket/errno.ts";
import { sockaddrIn, sockaddrNetlink } from "../../src/socket/sockaddr.ts";
import { batch, loopback4, open, udp, until } from "./support.ts";

/** A netlink header with a type no one knows: the kernel answers each with an error message. */
const nonsense = new Uint8Array(20);
new DataView(nonsense.buffer).setUint32(0, nonsense.length, true);
nonsense[4] = 0xff;
nonsense[6] = 1;
const kernel = sockaddrNetlink(0, 0);

test("an overrun netlink socket reports ENOBUFS, keeps what fitted, and hears again", async () => {
  const socket = open(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  socket.setOption(SOL_SOCKET, SO_RCVBUF, 2048);
  const errors: number[] = [];
  let messages = 0;
  socket.watch(
    () => {
      const received = batch(socket.receive());
      messages += received.count;
    },
    (errno) => errors.push(errno),
  );
  for (let i = 0; i < 200; i++) socket.send(nonsense, kernel);
  await until(() => errors.length > 0 && messages > 0, "the overrun and the messages before it");
  expect(errors).toEqual([ErrorNumber.ENOBUFS]);
  expect(messages).toBeLessThan(200);
  await until(() => batch(socket.receive()).count === 0, "an empty queue");
  messages = 0;
  expect(socket.send(nonsense, kernel)).toBe(nonsense.length);
  await until(() => messages === 1, "an answer after the overrun");
});

test("without an error function the next receive returns the error", async () => {
  const socket = open(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  socket.setOption(SOL_SOCKET, SO_RCVBUF, 2048);
  const results: number[] = [];
  socket.watch(() => {
    const received = socket.receive();
    results.push(typeof received === "number" ? received : received.count);
  });
  for (let i = 0; i < 200; i++) socket.send(nonsense, kernel);
  await until(() => results.some((result) => result > 0), "messages");
  expect(results.filter((result) => result < 0)).toEqual([-ErrorNumber.ENOBUFS]);
});

test("a receive before the loop turns gets the error itself, and it is not told twice", async () => {
  const socket = open(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  socket.setOption(SOL_SOCKET, SO_RCVBUF, 2048);
  const errors: number[] = [];
  socket.watch(
    () => socket.receive(),
    (errno) => errors.push(errno),
  );
  for (let i = 0; i < 200; i++) socket.send(nonsense, kernel);
  expect(socket.receive()).toBe(-ErrorNumber.ENOBUFS);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(errors).toEqual([]);
});

test("a refused datagram is told and the socket works on", async () => {
  const target = udp();
  const dead = target.name();
  target.close();
  const socket = udp();
  socket.connect(dead);
  const errors: number[] = [];
  socket.watch(
    () => socket.receive(),
    (errno) => errors.push(errno),
  );
  for (let round = 1; round <= 3; round++) {
    socket.send(Uint8Array.of(1));
    await until(() => errors.length >= round, "the refusal");
  }
  expect(new Set(errors)).toEqual(new Set([ErrorNumber.ECONNREFUSED]));
});

test("errors kept in the error queue do not make the loop spin", async () => {
  const target = udp();
  const dead = target.name();
  target.close();
  const socket = open(AF_INET, SOCK_DGRAM);
  socket.bind(sockaddrIn(loopback4));
  socket.setOption(IPPROTO_IP, IP_RECVERR, 1);
  let calls = 0;
  socket.watch(
    () => {
      calls++;
      socket.receive();
    },
    () => calls++,
  );
  for (let i = 0; i < 50; i++) socket.send(Uint8Array.of(1), dead);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(calls).toBeGreaterThan(0);
  expect(calls).toBeLessThan(100);
  socket.send(Uint8Array.of(1), socket.name());
  const before = calls;
  await until(() => calls > before, "a datagram after the errors");
  const { user, system } = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const usage = process.cpuUsage({ user, system });
  expect(usage.user + usage.system).toBeLessThan(60_000);
});

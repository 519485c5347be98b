/** Descriptors: not inherited, not collected, not left behind. */
import { readdirSync, readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { AF_NETLINK, AF_UNIX, SOCK_DGRAM, SOCK_RAW } from "../../src/socket/constants.ts";
import { OneShotTimer } from "../../src/socket/timer.ts";
import { addonPath, open, runWithAddon, udp, until } from "./support.ts";

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

const openDescriptors = () => readdirSync("/proc/self/fd").length;

test("every socket is non-blocking and closed on exec", () => {
  for (const socket of [udp(), open(AF_UNIX, SOCK_DGRAM), open(AF_NETLINK, SOCK_RAW)]) {
    const info = readFileSync(`/proc/self/fdinfo/${socket.descriptor}`, "utf8");
    const flags = Number.parseInt(/flags:\s+(\d+)/.exec(info)?.[1] ?? "", 8);
    expect(flags & O_CLOEXEC).toBe(O_CLOEXEC);
    expect(flags & O_NONBLOCK).toBe(O_NONBLOCK);
  }
});

test("a child inherits neither sockets nor timers", () => {
  const { stdout } = runWithAddon(`
    native.open(2, 2, 0); native.timerOpen();
    const { execFileSync } = require("node:child_process");
    process.stdout.write(execFileSync("ls", ["-l", "/proc/self/fd"], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
  `);
  expect(stdout).toContain("/proc");
  expect(stdout.split("\n").filter((line) => /timerfd/.test(line))).toEqual([]);
  expect(stdout.split("\n").filter((line) => /socket:/.test(line) && !/ [012] ->/.test(line))).toEqual([]);
});

test("opening and closing a thousand leaves nothing behind", async () => {
  const before = openDescriptors();
  for (let i = 0; i < 1000; i++) {
    const socket = udp();
    socket.watch(() => {});
    socket.close();
    const timer = new OneShotTimer(() => {});
    timer.close();
  }
  expect(openDescriptors()).toBe(before);
  await new Promise((resolve) => setImmediate(resolve));
});

test("the garbage collector closes nothing", () => {
  const { stdout, stderr } = runWithAddon(
    `
    const { readdirSync } = require("node:fs");
    (() => { const fd = native.open(2, 2, 0); native.watch(fd, () => {}); native.open(2, 2, 0); })();
    const before = readdirSync("/proc/self/fd").length;
    for (let i = 0; i < 5; i++) gc();
    setTimeout(() => { gc(); console.log(readdirSync("/proc/self/fd").length - before); process.exit(); }, 20);
    `,
    ["--expose-gc"],
  );
  expect(stderr).toBe("");
  expect(stdout.trim()).toBe("0");
});

test("an exception in a callback reaches uncaughtException, and the socket is watched on", () => {
  const { stdout, stderr, status } = runWithAddon(`
    let count = 0;
    process.on("uncaughtException", (error) => {
      console.log(error.message);
      if (++count === 2) process.exit(3);
    });
    const name = new Uint8Array(16);
    name.set([2, 0, 0, 0, 127, 0, 0, 1]);
    const fd = native.open(2, 2, 0);
    native.bind(fd, name);
    native.name(fd, name);
    native.send(fd, new Uint8Array(1), name);
    native.watch(fd, () => { throw new Error("from the callback"); });
  `);
  expect(stderr).toBe("");
  expect(stdout).toBe("from the callback\nfrom the callback\n");
  expect(status).toBe(3);
});

test("an exception nobody handles ends the process with its stack", () => {
  const { stderr, status } = runWithAddon(`
    const fd = native.timerOpen();
    native.watch(fd, function expired() { throw new Error("unhandled"); });
    native.timerArm(fd, native.now());
  `);
  expect(status).toBe(1);
  expect(stderr).toMatch(/Error: unhandled\n\s+at expired/);
});

test("promises settle after a callback, before the next one", () => {
  const { stdout } = runWithAddon(`
    const order = [];
    const fd = native.timerOpen();
    native.watch(fd, () => {
      order.push("callback");
      Promise.resolve().then(() => order.push("promise"));
      process.nextTick(() => order.push("tick"));
      setImmediate(() => { native.close(fd); console.log(order.join(" ")); });
    });
    native.timerArm(fd, native.now());
  `);
  expect(stdout.trim()).toBe("callback tick promise");
});

test("arguments of a wrong type throw, and nothing crashes", () => {
  const { stdout } = runWithAddon(`
    const results = [];
    for (const name of Object.keys(native)) {
      if (name === "lockMemory" || name === "now" || name === "timerOpen") continue;
      for (const values of [[], ["x"], [{}, {}, {}, {}], [1, null, undefined]]) {
        try { results.push(native[name](...values)); } catch (error) { results.push(error.code ?? error); }
      }
    }
    console.log(JSON.stringify([...new Set(results)]));
  `);
  // send and receive answer EINVAL, asking for the scheduling of "[1]" or the index of "x" is in order.
  expect(stdout).toContain("ERR_INVALID_ARG_TYPE");
});

const workerScript = `
  const { parentPort } = require("node:worker_threads");
  const native = require(${JSON.stringify(addonPath)});
  const name = new Uint8Array(16);
  name.set([2, 0, 0, 0, 127, 0, 0, 1]);
  const fd = native.open(2, 2, 0);
  native.bind(fd, name);
  native.name(fd, name);
  native.open(2, 2, 0);
  const slab = new ArrayBuffer(4 * (64 + 128 + 16 + 64));
  let received = 0;
  native.watch(fd, () => {
    received += native.receive(fd, slab, 4, 64);
    if (received === 10) parentPort.postMessage("done");
  });
  const timer = native.timerOpen();
  native.watch(timer, () => {
    native.send(fd, new Uint8Array(8), name);
    native.timerArm(timer, native.now() + 0.5);
  });
  native.timerArm(timer, native.now());
`;

test("several threads use it at once, and a terminated one leaves no descriptor", async () => {
  const socket = udp();
  let heard = 0;
  socket.watch(() => {
    socket.receive();
    heard++;
  });
  const before = openDescriptors();
  for (let round = 0; round < 3; round++) {
    const workers = [0, 1, 2].map(() => new Worker(workerScript, { eval: true }));
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))));
    socket.send(Uint8Array.of(1), socket.name());
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  await until(() => openDescriptors() <= before, "the workers' descriptors to go");
  await until(() => heard === 3, "the main thread's own datagrams");
});

test("a thread may end by itself with sockets open", () => {
  const { status, stdout, stderr } = runWithAddon(`
    const { Worker } = require("node:worker_threads");
    const script = ${JSON.stringify(workerScript)} + "parentPort.on('message', () => {}); setTimeout(() => process.exit(0), 20);";
    let left = 4;
    for (let i = 0; i < 4; i++) new Worker(script, { eval: true }).on("exit", () => --left === 0 && console.log("ended"));
  `);
  expect(stderr).toBe("");
  expect(stdout.trim()).toBe("ended");
  expect(status).toBe(0);
});

test("the process ends cleanly with sockets and timers open", () => {
  const { status, signal, stderr } = runWithAddon(`
    native.watch(native.open(2, 2, 0), () => {});
    native.watch(native.timerOpen(), () => {});
    native.open(2, 2, 0);
    process.exit(0);
  `);
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
});

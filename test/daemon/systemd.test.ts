import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openNotifier, reloadingMessage, watchdogInterval } from "../../src/daemon/systemd.ts";
import { AF_UNIX, SOCK_DGRAM } from "../../src/socket/constants.ts";
import { sockaddrUnix } from "../../src/socket/sockaddr.ts";
import { Socket } from "../../src/socket/socket.ts";
import { MemoryLog, temporaryDirectory, until } from "./support.ts";

test("a reload carries the monotonic time in microseconds", () => {
  expect(reloadingMessage(1_234_567_890_123n)).toBe("RELOADING=1\nMONOTONIC_USEC=1234567890");
});

test.each([
  [{}, undefined],
  [{ WATCHDOG_USEC: "10000000" }, 5000],
  [{ WATCHDOG_USEC: "10000000", WATCHDOG_PID: "42" }, 5000],
  [{ WATCHDOG_USEC: "10000000", WATCHDOG_PID: "43" }, undefined],
  [{ WATCHDOG_USEC: "soon" }, undefined],
])("with %j process 42 beats every %s ms", (environment, interval) => {
  expect(watchdogInterval(environment, 42)).toBe(interval);
});

test.each(["a path", "an abstract name"])("messages arrive at %s", async (kind) => {
  const path = kind === "a path" ? join(temporaryDirectory(), "notify") : `@viprd-test-${process.pid}`;
  const receiver = Socket.open(AF_UNIX, SOCK_DGRAM, 0, "test receiver");
  onTestFinished(() => receiver.close());
  receiver.bind(sockaddrUnix(path));
  const notifier = await openNotifier({ NOTIFY_SOCKET: path, WATCHDOG_USEC: "20000" }, new MemoryLog());
  onTestFinished(() => notifier.close());
  notifier.ready();
  notifier.status("two\nlines");
  notifier.stopping();
  const heard: string[] = [];
  const decoder = new TextDecoder();
  await until(() => {
    const batch = receiver.receive();
    if (typeof batch === "object") {
      for (let i = 0; i < batch.count; i++) heard.push(decoder.decode(batch.bytes(i)));
    }
    return heard.length >= 4;
  }, "four messages");
  expect(heard.slice(0, 4)).toEqual(["READY=1", "STATUS=two lines", "STOPPING=1", "WATCHDOG=1"]);
});

test("without a notify socket nothing happens; with a wrong one it is told once", async () => {
  const log = new MemoryLog();
  (await openNotifier({}, log)).ready();
  expect(log.lines).toEqual([]);
  (await openNotifier({ NOTIFY_SOCKET: `/${"x".repeat(200)}` }, log)).ready();
  expect(log.lines).toEqual([expect.stringMatching(/^warn cannot tell systemd: /)]);
});

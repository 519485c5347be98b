import { expect, test } from "vitest";
import { tcp } from "../../src/healthchecks/tcp.ts";
import { until } from "../daemon/support.ts";
import { closedPort, listen, probeOnce } from "./support.ts";

test("a port that is open", async () => {
  let ends = 0;
  const port = await listen((socket) => socket.on("close", () => ends++));
  expect(await probeOnce(tcp, { type: "tcp", host: "127.0.0.1", port })).toEqual({
    ok: true,
    reason: `connected to 127.0.0.1:${port}`,
  });
  await until(() => ends === 1, "the end of the connection");
});

test("a port that is closed", async () => {
  const port = await closedPort();
  expect(await probeOnce(tcp, { type: "tcp", host: "127.0.0.1", port })).toEqual({
    ok: false,
    reason: `connect 127.0.0.1:${port}: refused (ECONNREFUSED)`,
  });
});

test("over IPv6 the address stands in brackets", async () => {
  const port = await listen(() => {}, "::1");
  expect((await probeOnce(tcp, { type: "tcp", host: "::1", port })).reason).toBe(`connected to [::1]:${port}`);
});

test("a source address is used, and one that this host has not is a failure", async () => {
  const port = await listen(() => {});
  // Nobody may connect from the address of another family or host: that it is used is what fails below.
  expect(await probeOnce(tcp, { type: "tcp", host: "127.0.0.1", port, source: "127.0.0.2" })).toMatchObject({
    ok: true,
  });
  expect(await probeOnce(tcp, { type: "tcp", host: "127.0.0.1", port, source: "192.0.2.1" })).toEqual({
    ok: false,
    reason: `connect 127.0.0.1:${port}: the source address is not on this host (EADDRNOTAVAIL)`,
  });
});

test("one that has not answered when it is told to stop says how far it came", async () => {
  const controller = new AbortController();
  const probe = tcp.probe({ type: "tcp", host: "127.0.0.1", port: 9 }, controller.signal);
  controller.abort(new Error("no answer within 5 ms"));
  expect(await probe).toEqual({ ok: false, reason: "connect 127.0.0.1:9: no answer within 5 ms" });
});

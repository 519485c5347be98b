import { createSocket } from "node:dgram";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { ask } from "../../src/healthchecks/datagram.ts";
import { exchange1 } from "../../src/healthchecks/http-exchange.ts";
import { exchange2 } from "../../src/healthchecks/http2-exchange.ts";
import { Stream } from "../../src/socket/stream.ts";
import { listen } from "./support.ts";

/** What a run was told while it read a file from a slow disk. */
const given = AbortSignal.abort(new Error("no answer within 5 ms"));

test.each([
  ["1.1", exchange1],
  ["2", exchange2],
] as const)("a run that was over before HTTP/%s began connects to nobody", async (version, exchange) => {
  let connections = 0;
  const port = await listen((socket) => {
    connections++;
    socket.destroy();
  });
  const url = new URL(`http://127.0.0.1:${port}/`);
  const request = { url, method: "GET", headers: {}, version, tls: { verify: true } };
  await expect(exchange(request, given)).rejects.toThrow("no answer within 5 ms");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([connections, Stream.count]).toEqual([0, 0]);
});

test("a run that was over before its datagram went ends at once, although nobody answers", async () => {
  const server = createSocket("udp4");
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
  const target = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  for (const source of [undefined, "127.0.0.1"]) {
    const outcome = await ask(
      {
        what: "radius",
        target: { ...target, ...(source === undefined ? {} : { source }) },
        make: () => Uint8Array.of(1),
        hear: () => ({ ok: true, reason: "heard" }),
      },
      given,
    );
    expect(outcome).toEqual({ ok: false, reason: "radius: no answer within 5 ms" });
  }
});

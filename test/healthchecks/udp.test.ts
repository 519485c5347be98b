import { createSocket } from "node:dgram";
import { expect, onTestFinished, test } from "vitest";
import { judgeReply, type UdpParameters, udp } from "../../src/healthchecks/udp.ts";
import { probeOnce } from "./support.ts";

const parameters = {
  type: "udp",
  host: "127.0.0.1",
  payload: "6f6b",
  minReplyLength: 0,
  maxReplyLength: 100,
  wait: 30,
};

/** Answers each datagram with what `answer` makes of it; nothing, when that is undefined. */
async function server(answer: (message: Buffer) => Buffer | undefined): Promise<number> {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    const reply = answer(message);
    if (reply !== undefined) socket.send(reply, from.port, from.address);
  });
  onTestFinished(() => void socket.close());
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket.address().port;
}

function probe(changes: Partial<UdpParameters>, limit?: number) {
  return probeOnce(udp, { ...parameters, port: 9, ...changes } as UdpParameters, limit);
}

test("a reply that is needed and comes", async () => {
  const port = await server((message) => Buffer.concat([Buffer.from("reply to "), message]));
  const reply = Buffer.from("reply to ok").toString("hex");
  expect(await probe({ port, reply })).toEqual({ ok: true, reason: `udp 127.0.0.1:${port}: answered with 11 bytes` });
});

test("a reply that is needed and differs", async () => {
  const port = await server(() => Buffer.from("no"));
  expect(await probe({ port, reply: "6f6b" })).toEqual({
    ok: false,
    reason: `udp 127.0.0.1:${port}: answered with 6e6f instead of 6f6b`,
  });
});

test("a reply that is needed and does not come", async () => {
  const port = await server(() => undefined);
  expect(await probe({ port, reply: "" }, 20)).toEqual({
    ok: false,
    reason: `udp 127.0.0.1:${port}: no answer within 20 ms`,
  });
});

test("silence is enough when no reply is needed", async () => {
  const port = await server(() => undefined);
  expect(await probe({ port })).toEqual({ ok: true, reason: `udp 127.0.0.1:${port}: nobody says that it is closed` });
});

test("a port that is closed", async () => {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  expect(await probe({ port, wait: 5000 })).toEqual({
    ok: false,
    reason: `udp 127.0.0.1:${port}: refused (ECONNREFUSED)`,
  });
});

test("a source address that this host has not", async () => {
  expect(await probe({ source: "192.0.2.1" })).toEqual({
    ok: false,
    reason: "udp 127.0.0.1:9: the source address is not on this host (EADDRNOTAVAIL)",
  });
});

test("replies are judged by length and by digits, X for any", () => {
  const limits = { minReplyLength: 2, maxReplyLength: 3 };
  const bytes = Uint8Array.of(0xab, 0xcd, 0xef);
  expect(judgeReply({ ...limits, reply: "ABxD" }, bytes)).toBeUndefined();
  expect(judgeReply({ ...limits, reply: "aacd" }, bytes)).toBe("answered with abcdef instead of aacd");
  expect(judgeReply({ ...limits, reply: "abcdef01" }, bytes)).toBe("answered with abcdef instead of abcdef01");
  expect(judgeReply(limits, bytes.subarray(0, 1))).toBe("answered with 1 bytes, fewer than 2");
  expect(judgeReply(limits, new Uint8Array(4))).toBe("answered with 4 bytes, more than 3");
});

test("what this host itself will not send is a failure that says why", async () => {
  // Broadcast is forbidden to an ordinary socket; where there is no route at all, that is said instead.
  const { ok, reason } = await probe({ host: "255.255.255.255", port: 9 });
  expect(ok).toBe(false);
  expect(reason).toMatch(/^udp 255\.255\.255\.255:9: (no permission|the network cannot be reached) \(/);
});

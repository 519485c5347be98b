import { createSocket } from "node:dgram";
import { expect, onTestFinished, test } from "vitest";
import { judgeTime, type NtpParameters, ntp } from "../../src/healthchecks/ntp.ts";
import { decodeTimeReply, encodeTimeQuery } from "../../src/wire/ntp.ts";
import { probeOnce } from "./support.ts";

/** What a server of stratum 2 says, with the time that is `ahead` milliseconds from now. */
function reply(question: Buffer, ahead = 0): Buffer {
  const bytes = Buffer.alloc(48);
  bytes.writeUInt8(0x24, 0);
  bytes.writeUInt8(2, 1);
  bytes.write("GPS\0", 12);
  question.copy(bytes, 24, 40, 48);
  for (const at of [32, 40]) {
    const time = Date.now() + ahead;
    bytes.writeUInt32BE((Math.floor(time / 1000) + 2_208_988_800) % 2 ** 32, at);
    bytes.writeUInt32BE(Math.floor(((time % 1000) / 1000) * 2 ** 32), at + 4);
  }
  return bytes;
}

async function server(answer: (question: Buffer) => readonly Buffer[]): Promise<number> {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    for (const bytes of answer(message)) socket.send(bytes, from.port, from.address);
  });
  onTestFinished(() => void socket.close());
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket.address().port;
}

function probe(changes: Partial<NtpParameters>, limit?: number) {
  return probeOnce(ntp, { type: "ntp", host: "127.0.0.1", port: 9, maxStratum: 15, ...changes }, limit);
}

test("the question is one of a client of version 4 that does not tell its time", () => {
  const query = encodeTimeQuery(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  expect(Buffer.from(query).toString("hex")).toBe(`23${"00".repeat(39)}0102030405060708`);
});

test("a server that knows the time", async () => {
  const port = await server((question) => [reply(question)]);
  const { ok, reason } = await probe({ port });
  expect(ok).toBe(true);
  expect(reason).toMatch(new RegExp(`^ntp 127\\.0\\.0\\.1:${port}: stratum 2, its clock is \\d+ ms (ahead|behind)$`));
});

test("a clock that is too far away", async () => {
  const port = await server((question) => [reply(question, -60_000)]);
  const { ok, reason } = await probe({ port, maxOffset: 1000 });
  expect(ok).toBe(false);
  expect(reason).toMatch(/: its clock is (59|60)\d\d\d ms behind, more than 1000 ms$/);
});

test("the answer to another question is none", async () => {
  const port = await server((question) => [reply(Buffer.alloc(48)), question, reply(question).subarray(1)]);
  expect(await probe({ port }, 30)).toEqual({
    ok: false,
    reason: `ntp 127.0.0.1:${port}: no answer within 30 ms`,
  });
});

test("times are read in the span of 136 years that is nearest", () => {
  const query = encodeTimeQuery(new Uint8Array(8));
  const bytes = Buffer.alloc(48);
  bytes.writeUInt8(0x24, 0);
  // Half a second into the second span, which begins on 7 February 2036 (RFC 5905 section 6).
  bytes.writeUInt32BE(0x80000000, 44);
  const at = Date.UTC(2036, 1, 7, 6, 28, 16, 500);
  expect(decodeTimeReply(query, bytes, at + 1000)?.sent).toBe(at);
  bytes.writeUInt32BE(0xfffffff0, 40);
  expect(decodeTimeReply(query, bytes, at)?.sent).toBe(at - 16_000);
});

test("a server that does not know the time says so, or why it does not answer", () => {
  const limits = { maxStratum: 3 };
  const good = { leap: 0, stratum: 3, reference: "" };
  expect(judgeTime(limits, good, 1e9)).toBeUndefined();
  expect(judgeTime(limits, { ...good, stratum: 4 }, 0)).toBe("stratum 4, more than 3");
  expect(judgeTime(limits, { ...good, leap: 3 }, 0)).toBe("its clock is not synchronized");
  expect(judgeTime(limits, { ...good, stratum: 16 }, 0)).toBe("its clock is not synchronized");
  expect(judgeTime(limits, { ...good, stratum: 0, reference: "RATE" }, 0)).toBe("it refuses (kiss code RATE)");
  // As chrony does before it has found its time.
  expect(judgeTime(limits, { ...good, leap: 3, stratum: 0, reference: "" }, 0)).toBe("its clock is not synchronized");
  expect(judgeTime({ maxStratum: 15, maxOffset: 5 }, good, 5.1)).toBe("its clock is 5 ms ahead, more than 5 ms");
});

import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { decode } from "../../src/cli/decode.ts";
import { LineWriter } from "../../src/cli/line-writer.ts";

function failing(code: string): Writable {
  return new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => void setImmediate(() => done(Object.assign(new Error(code), { code }))),
  });
}

test("a reader that has seen enough ends an endless input quietly", async () => {
  let chunks = 0;
  async function* endless() {
    for (;;) {
      chunks++;
      yield "31 33 64 01 00 64 00 00 c0 00 02 01\n".repeat(1000);
    }
  }
  const flags = { vrrpVersion: "any", checksum: "either", firstLinkLocal: "strict" } as const;
  expect(await decode(flags, endless(), failing("EPIPE"), failing("EPIPE"))).toBe(0);
  expect(chunks).toBeLessThan(3);
});

test("a full disk is told", async () => {
  const writer = new LineWriter(failing("ENOSPC"));
  await writer.write("answer");
  expect(await writer.end()).toMatchObject({ code: "ENOSPC" });
  expect(writer.closed).toBe(true);
});

test("a slow reader is waited for and gets every line in order", async () => {
  const seen: string[] = [];
  const slow = new Writable({
    highWaterMark: 1,
    write: (chunk, _encoding, done) => {
      seen.push(String(chunk));
      setImmediate(done);
    },
  });
  const writer = new LineWriter(slow);
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
  for (const line of lines) await writer.write(line);
  expect(await writer.end()).toBeUndefined();
  expect(seen.join("")).toBe(`${lines.join("\n")}\n`);
  expect(seen.length).toBeLessThan(20);
});

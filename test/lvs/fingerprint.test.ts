import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Fingerprint } from "../../src/lvs/fingerprint.ts";
import { procFingerprint } from "../../src/lvs/proc-table.ts";

const table = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C000020A:0050 wlc persistent 360 FFFFFFFF
  -> C0000216:0050      Masq    1      7          21
  -> C0000215:0050      Masq    1      0          0
UDP  [2001:0db8:0000:0000:0000:0000:0000:0010]:0035 rr ops
  -> [2001:0db8:0000:0000:0000:0000:0000:0021]:0035      Tunnel  2      0          0
FWM  00000007 mh (mh-fallback,mh-port)
  -> C0000215:0000      Route   1      0          0
`;

function of(text: string, cut = text.length): string {
  const bytes = new TextEncoder().encode(text);
  const fingerprint = new Fingerprint();
  for (let at = 0; at < bytes.length; at += cut) fingerprint.add(bytes.subarray(at, at + cut));
  return fingerprint.finish();
}

test("connections that come and go do not matter", () => {
  expect(of(table.replace("7          21", "123456789 4"))).toBe(of(table));
  expect(of(table.replaceAll(/0 {10}0/g, "1          2"))).toBe(of(table));
});

test.each([
  ["another weight", "Masq    1      7", "Masq    2      7"],
  ["a weight with more digits", "Masq    1      7", "Masq    10     7"],
  ["another method", "Route ", "Masq  "],
  ["another address", "C0000216:0050", "C0000217:0050"],
  ["another port", "C0000216:0050", "C0000216:0051"],
  ["another scheduler", "wlc", "wrr"],
  ["another persistence", "360", "361"],
  ["no persistence", " persistent 360 FFFFFFFF", ""],
  ["no one-packet scheduling", " ops", ""],
  ["another mark", "00000007", "00000008"],
  ["a server less", "  -> C0000216:0050      Masq    1      7          21\n", ""],
  ["servers in another order", /( {2}-> C0000216.*\n)( {2}-> C0000215.*\n)/, "$2$1"],
])("%s is noticed", (_, before, after) => {
  const changed = table.replace(before, after);
  expect(changed).not.toBe(table);
  expect(of(changed)).not.toBe(of(table));
});

test("it is the same however the text comes in portions", () => {
  for (let cut = 1; cut < 40; cut++) expect(of(table, cut)).toBe(of(table));
});

test("any two weights are told apart", () => {
  const weight = fc.integer({ min: 0, max: 0x7fffffff });
  fc.assert(
    fc.property(weight, weight, (a, b) => {
      const line = (n: number) => of(table.replace("Masq    1 ", `Masq    ${n} `));
      expect(line(a) === line(b)).toBe(a === b);
    }),
  );
});

test("a file is read whatever its length, and a missing one is no error", async () => {
  const folder = mkdtempSync(join(tmpdir(), "viprd-fingerprint-"));
  try {
    const long = table + "  -> C0000215:0050      Masq    1      0          0\n".repeat(10_000);
    writeFileSync(join(folder, "ip_vs"), long);
    expect(await procFingerprint(join(folder, "ip_vs"))).toBe(of(long));
    expect(await procFingerprint(join(folder, "none"))).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

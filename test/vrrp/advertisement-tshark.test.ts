/** What we encode, read by somebody else's decoder: tshark, with its checksum verification on. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeGratuitousArp } from "../../src/wire/arp.ts";
import { encodeUnsolicitedAdvertisement } from "../../src/wire/neighbor.ts";
import { ethernet, ipPacket, pcap } from "../support/captures.ts";
import { hex } from "../support/hex.ts";
import { address, addressList, v2Fields, v3Fields, v6Fields } from "../support/packets.ts";

const version = tsharkVersion();
if (version === undefined) console.warn("tshark is not installed: our packets are not checked by another decoder");

function tsharkVersion(): string | undefined {
  try {
    return execFileSync("tshark", ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}

test("tshark is there when the lab is required", () => {
  if (process.env.REQUIRE_LAB === "1") expect(version).toBeDefined();
});

function dissect(frames: readonly Uint8Array[], fields: readonly string[], ...preferences: string[]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), "viprd-tshark-"));
  try {
    const file = join(folder, "sent.pcap");
    writeFileSync(file, pcap(frames));
    const options = ["-o", "ip.check_checksum:TRUE", ...preferences.flatMap((preference) => ["-o", preference])];
    const words = ["-r", file, ...options, "-T", "fields", ...fields.flatMap((field) => ["-e", field])];
    const text = execFileSync("tshark", words, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 15_000,
    });
    return text
      .replace(/\n$/, "")
      .split("\n")
      .map((line) => line.split("\t"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const vrrp = [
  "ip.checksum.status",
  "vrrp.version",
  "vrrp.virt_rtr_id",
  "vrrp.prio",
  "vrrp.addr_count",
  "vrrp.checksum.status",
  "vrrp.ip_addr",
  "vrrp.ipv6_addr",
];
const good = "1";

test.skipIf(version === undefined)("tshark verifies version 2, and version 3 with pseudo-headers", () => {
  const password = { type: 1, data: new TextEncoder().encode("secret") };
  const sent = [
    v2Fields,
    { ...v2Fields, authentication: password },
    { ...v3Fields, checksumForm: "pseudo_header", interval: 250 } as const,
    v6Fields,
  ];
  expect(
    dissect(
      sent.map((fields) => ethernet(ipPacket(fields))),
      [...vrrp, "vrrp.adver_int", "vrrp.short_adver_int"],
    ),
  ).toEqual([
    [good, "2", "51", "100", "1", good, "192.0.2.1", "", "1", ""],
    [good, "2", "51", "100", "1", good, "192.0.2.1", "", "1", ""],
    [good, "3", "51", "100", "1", good, "192.0.2.1", "", "", "25"],
    ["", "3", "51", "100", "2", good, "", "fe80::1,2001:db8::1", "", "100"],
  ]);
});

test.skipIf(version === undefined)("tshark verifies version 3 over IPv4 without pseudo-header when told so", () => {
  const fields = { ...v3Fields, addressBytes: addressList("192.0.2.1", "198.51.100.7") };
  expect(dissect([ethernet(ipPacket(fields))], vrrp, "vrrp.v3_checksum_as_in_v2:TRUE")).toEqual([
    [good, "3", "51", "100", "2", good, "192.0.2.1,198.51.100.7", ""],
  ]);
});

test.skipIf(version === undefined)("tshark recognises announcements as such", () => {
  const frames = [
    encodeGratuitousArp(hex("00005e000133"), address("192.0.2.1")),
    encodeUnsolicitedAdvertisement(hex("00005e000233"), address("2001:db8::1")),
  ];
  const fields = ["arp.isgratuitous", "arp.src.proto_ipv4", "icmpv6.checksum.status", "icmpv6.nd.na.flag.r"];
  const told = dissect(frames, [...fields, "icmpv6.nd.na.target_address", "icmpv6.opt.linkaddr"]);
  expect(told[0]?.slice(0, 2)).toEqual([expect.stringMatching(/^(1|True)$/), "192.0.2.1"]);
  expect(told[1]?.slice(2)).toEqual([good, expect.stringMatching(/^(1|True)$/), "2001:db8::1", "00:00:5e:00:02:33"]);
});

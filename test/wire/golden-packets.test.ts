/**
 * Packets captured from other implementations: hex with notes, a dashed line, what they say.
 * UPDATE=1 rewrites the part below the line.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { judgeFrame } from "../../src/cli/decode-packet.ts";
import { decodeAdvertisement, encodeAdvertisement } from "../../src/vrrp/advertisement.ts";
import { formatAddress, formatMac } from "../../src/wire/address.ts";
import { decodeArp, encodeGratuitousArp } from "../../src/wire/arp.ts";
import { decodeEthernet } from "../../src/wire/ethernet.ts";
import { decodeIpv4, decodeIpv6 } from "../../src/wire/ip.ts";
import { decodeNeighbor, encodeUnsolicitedAdvertisement } from "../../src/wire/neighbor.ts";
import { hex } from "../support/hex.ts";
import { options4, options6 } from "../support/packets.ts";

const folder = new URL("../golden/packets/", import.meta.url);
const line = "----------\n";

const packets = readdirSync(folder)
  .filter((name) => name.endsWith(".txt"))
  .map((name) => {
    const [notes = "", expected = ""] = readFileSync(new URL(name, folder), "utf8").split(line);
    const rows = notes.split("\n").filter((row) => !row.startsWith("#"));
    return { name, notes, expected, frame: hex(rows.map((row) => row.split("   ")[0]).join(" ")) };
  });

test.each(packets)("$name says what its file says", ({ name, notes, expected, frame }) => {
  const said = `${JSON.stringify(meaning(frame), null, 2)}\n`;
  if (process.env.UPDATE === "1") writeFileSync(new URL(name, folder), notes + line + said);
  else expect(said).toBe(expected);
});

/** The command's answer for VRRP; the announced address and MAC for the others. */
function meaning(frame: Uint8Array): unknown {
  const arp = decodeArp(frame);
  if (arp !== undefined) {
    return {
      operation: arp.operation,
      source: formatMac(arp.source),
      senderMac: formatMac(arp.senderMac),
      senderAddress: formatAddress(arp.senderAddress),
      targetMac: formatMac(arp.targetMac),
      targetAddress: formatAddress(arp.targetAddress),
    };
  }
  const neighbor = decodeNeighbor(frame);
  if (neighbor === undefined) return judgeFrame(1, frame, judgement);
  const { kind, router, solicited, override } = neighbor;
  return {
    kind,
    flags: { router, solicited, override },
    source: formatAddress(neighbor.source),
    destination: formatAddress(neighbor.destination),
    target: formatAddress(neighbor.target),
    mac: neighbor.mac && formatMac(neighbor.mac),
  };
}

const judgement = {
  version: "any",
  checksum: "either",
  firstLinkLocal: "strict",
  source: undefined,
  destination: undefined,
} as const;

test.each(packets.filter(({ name }) => /-v[23]/.test(name)))("$name is encoded to the same bytes", ({ frame }) => {
  const payload = decodeEthernet(frame)?.payload ?? new Uint8Array();
  const packet = decodeIpv4(payload) ?? decodeIpv6(payload);
  if (packet === undefined) throw new Error("no IP packet");
  const { source, destination } = packet;
  const family = source.length === 4 ? 4 : 6;
  const options = { ...(family === 4 ? options4 : options6), source, destination };
  const advertisement = decodeAdvertisement(packet.payload, options);
  if (typeof advertisement === "string") throw new Error(advertisement);
  const { authenticationType: type, authenticationData: data } = advertisement;
  const authentication = data && { authentication: { type, data } };
  const encoded = encodeAdvertisement({ ...advertisement, family, source, destination, ...authentication });
  expect(encoded).toEqual(new Uint8Array(packet.payload));
});

test.each(packets.filter(({ name }) => /-garp/.test(name)))("$name is encoded to the same bytes", ({ frame }) => {
  const arp = decodeArp(frame);
  if (arp === undefined) throw new Error("no ARP");
  expect(encodeGratuitousArp(arp.senderMac, arp.senderAddress)).toEqual(frame);
});

test.each(packets.filter(({ name }) => /-na-(router|virtual)/.test(name)))(
  "$name is encoded to the same bytes",
  ({ frame }) => {
    const neighbor = decodeNeighbor(frame);
    if (neighbor?.mac === undefined) throw new Error("no neighbour advertisement");
    expect(encodeUnsolicitedAdvertisement(neighbor.mac, neighbor.target)).toEqual(frame);
  },
);

test("every prefix of every packet is answered, and none but the whole is valid", () => {
  for (const { frame } of packets) {
    for (let length = 0; length < frame.length; length++) {
      const answer = judgeFrame(1, frame.subarray(0, length), judgement);
      expect(typeof answer === "string" || !answer.valid).toBe(true);
      expect(decodeNeighbor(frame.subarray(0, length))).toBeUndefined();
      expect(decodeArp(frame.subarray(0, length))).toBeUndefined();
    }
  }
});

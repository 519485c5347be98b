import { expect, test } from "vitest";
import { carriedPacket } from "../../src/wire/link-layer.ts";
import { hex } from "../support/hex.ts";

const macs = "01005e000012 00005e000133";

test.each([
  ["Ethernet with IPv4", 1, `${macs} 0800 4500`, 4],
  ["Ethernet with IPv6", 1, `${macs} 86dd 4500`, 6],
  ["Ethernet with two tags", 1, `${macs} 88a8 0064 8100 0065 0800 4500`, 4],
  ["raw IP", 101, "4500", undefined],
  ["raw IP of OpenBSD", 14, "4500", undefined],
  ["raw IP of other BSDs", 12, "4500", undefined],
  ["raw IPv4", 228, "4500", 4],
  ["raw IPv6", 229, "4500", 6],
  ["Linux cooked", 113, "0001 0001 0006 00005e0001330000 0800 4500", 4],
  ["Linux cooked with a tag", 113, "0001 0001 0006 00005e0001330000 8100 0064 86dd 4500", 6],
  ["Linux cooked v2", 276, "0800 0000 00000002 0001 01 06 00005e0001330000 4500", 4],
  ["Linux cooked v2 with a tag", 276, "8100 0000 00000002 0001 01 06 00005e0001330000 0064 86dd 4500", 6],
  ["loopback, little-endian", 0, "02000000 4500", 4],
  ["loopback, big-endian", 0, "00000002 4500", 4],
  ["loopback with IPv6 of Darwin", 0, "1e000000 4500", 6],
  ["loopback with IPv6 of Linux", 0, "0a000000 4500", 6],
  ["loopback of OpenBSD", 108, "00000018 4500", 6],
])("%s gives its IP packet", (_what, linkType, frame, family) => {
  expect(carriedPacket(linkType, hex(frame))).toEqual({ family, bytes: hex("4500") });
});

test.each([
  ["ARP", 1, `${macs} 0806 4500`],
  ["an 802.3 length", 1, `${macs} 0026 4242`],
  ["LLDP in a cooked capture", 113, "0001 0001 0006 00005e0001330000 88cc"],
  ["LLDP in a cooked v2 capture", 276, "88cc 0000 00000002 0001 01 06 00005e0001330000 4500"],
  ["another family on a loopback", 0, "07000000 4500"],
])("%s is something else", (_what, linkType, frame) => {
  expect(carriedPacket(linkType, hex(frame))).toBe("other");
});

test.each([
  ["an empty frame", 1, ""],
  ["13 bytes of Ethernet", 1, `${macs} 08`],
  ["a tag cut short", 1, `${macs} 8100 00`],
  ["15 bytes of Linux cooked", 113, "0001 0001 0006 00005e0001330000 08"],
  ["19 bytes of Linux cooked v2", 276, "0800 0000 00000002 0001 01 06 00005e00013300"],
  ["a tag cut short in cooked v2", 276, "8100 0000 00000002 0001 01 06 00005e0001330000 0064"],
  ["3 bytes of loopback", 0, "020000"],
])("%s cannot be told", (_what, linkType, frame) => {
  expect(carriedPacket(linkType, hex(frame))).toBe("malformed");
});

test("other link types are not known", () => {
  expect(carriedPacket(105, hex("0800"))).toBe("unsupported");
});

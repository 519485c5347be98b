import { expect, test } from "vitest";
import { decodeEthernet, encodeEthernetHeader, multicastMac } from "../../src/wire/ethernet.ts";
import { hex } from "../support/hex.ts";
import { address } from "../support/packets.ts";

const macs = "01005e000012 00005e000133";

test.each([
  ["untagged", "0800"],
  ["802.1Q", "8100 0064 0800"],
  ["802.1ad over 802.1Q", "88a8 0064 8100 0065 0800"],
  ["the old QinQ", "9100 0064 8100 0065 0800"],
])("%s frames give the EtherType behind the tags", (_what, types) => {
  expect(decodeEthernet(hex(`${macs} ${types} 4500`))).toEqual({
    destination: hex("01005e000012"),
    source: hex("00005e000133"),
    etherType: 0x0800,
    payload: hex("4500"),
  });
});

test.each([
  ["nothing", ""],
  ["a header cut short", `${macs} 08`],
  ["a tag cut short", `${macs} 8100 00`],
  ["a tag with nothing behind", `${macs} 8100 0064`],
])("%s is no frame", (_what, bytes) => {
  expect(decodeEthernet(hex(bytes))).toBeUndefined();
});

test("a header is written over whatever was there", () => {
  const into = new Uint8Array(14).fill(0xa5);
  encodeEthernetHeader(into, hex("01005e000012"), hex("00005e000133"), 0x0800);
  expect(into).toEqual(hex(`${macs} 0800`));
});

test("multicast groups have their MAC addresses (RFC 1112 section 6.4, RFC 2464 section 7)", () => {
  expect(multicastMac(address("224.0.0.18"))).toEqual(hex("01005e000012"));
  expect(multicastMac(address("239.255.1.2"))).toEqual(hex("01005e7f0102"));
  expect(multicastMac(address("ff02::12"))).toEqual(hex("333300000012"));
  expect(multicastMac(address("ff02::1:ff00:a"))).toEqual(hex("3333ff00000a"));
});

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  compareAddresses,
  equalAddresses,
  familyOf,
  formatAddress,
  formatMac,
  isLinkLocal,
  isMulticast,
  parseAddress,
} from "../../src/wire/address.ts";
import { address } from "../support/packets.ts";

test.each([
  // RFC 5952 sections 4 and 5: lower case, no leading zeros, the longest run of zeros, the first of equals, not for one.
  ["192.0.2.1", "192.0.2.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:0db8::0001", "2001:db8::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["::ffff:192.0.2.1", "::ffff:c000:201"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"],
])("%s is read and written as %s", (text, canonical) => {
  expect(formatAddress(address(text))).toBe(canonical);
});

test.each([
  ["nothing", ""],
  ["three parts", "192.0.2"],
  ["five parts", "192.0.2.1.1"],
  ["more than a byte", "192.0.2.256"],
  ["a leading zero", "192.0.2.01"],
  ["a sign", "192.0.2.+1"],
  ["an empty part", "192..2.1"],
  ["a space", "192.0.2.1 "],
  ["a prefix length", "192.0.2.1/24"],
  ["hex parts", "0xc0.0.2.1"],
  ["a host name", "localhost"],
  ["a lone colon", ":"],
  ["three colons", ":::"],
  ["seven groups", "1:2:3:4:5:6:7"],
  ["nine groups", "1:2:3:4:5:6:7:8:9"],
  ["two gaps", "1::2::3"],
  ["a gap that stands for nothing", "1:2:3:4::5:6:7:8"],
  ["a group of five digits", "12345::"],
  ["a colon at the start", ":1:2:3:4:5:6:7"],
  ["a colon at the end", "1:2:3:4:5:6:7:"],
  ["a zone", "fe80::1%eth0"],
  ["a dotted quad in the middle", "::192.0.2.1:1"],
  ["a dotted quad before the gap", "192.0.2.1::"],
  ["a letter beyond f", "fg::"],
])("%s makes no address", (_what, text) => {
  expect(parseAddress(text)).toBeUndefined();
});

const bytes4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
/** Many zeros, so that gaps of all kinds come up. */
const bytes6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((words) => Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff])));

test("every address survives being written and read", () => {
  fc.assert(
    fc.property(fc.oneof(bytes4, bytes6), (bytes) => {
      expect(parseAddress(formatAddress(bytes))).toEqual(bytes);
    }),
  );
});

test("no text makes the reader throw, and what it reads is 4 or 16 bytes", () => {
  const text = fc.string({ unit: fc.constantFrom(..."0123456789abcdefg:.% ") });
  fc.assert(
    fc.property(text, (input) => {
      const bytes = parseAddress(input);
      expect([undefined, 4, 16]).toContain(bytes?.length);
    }),
  );
});

test("addresses are compared as unsigned numbers in network order (RFC 9568 section 6.4.3)", () => {
  expect(compareAddresses(address("192.0.2.200"), address("192.0.2.9"))).toBeGreaterThan(0);
  expect(compareAddresses(address("10.255.255.255"), address("11.0.0.0"))).toBeLessThan(0);
  expect(compareAddresses(address("fe80::ff"), address("fe80::1:0"))).toBeLessThan(0);
  expect(compareAddresses(address("fe80::1"), address("fe80::1"))).toBe(0);
  expect(equalAddresses(address("fe80::1"), address("fe80::1"))).toBe(true);
  expect(equalAddresses(address("192.0.2.1"), address("192.0.2.2"))).toBe(false);
  expect(equalAddresses(address("0.0.0.0"), address("::"))).toBe(false);
});

test("link-local is fe80::/10 and nothing else", () => {
  expect(["fe80::1", "febf::1", "fe90::"].map((text) => isLinkLocal(address(text)))).toEqual([true, true, true]);
  expect(["fec0::1", "fe7f::1", "2001:db8::1", "169.254.0.1"].some((text) => isLinkLocal(address(text)))).toBe(false);
});

test("multicast is 224.0.0.0/4 and ff00::/8", () => {
  expect(["224.0.0.18", "239.255.255.255", "ff02::12"].every((text) => isMulticast(address(text)))).toBe(true);
  expect(["223.255.255.255", "240.0.0.0", "fe80::1"].some((text) => isMulticast(address(text)))).toBe(false);
});

test("the family follows from the length", () => {
  expect(familyOf(address("192.0.2.1"))).toBe(4);
  expect(familyOf(address("::"))).toBe(6);
});

test("a MAC address is written with colons", () => {
  expect(formatMac(Uint8Array.of(0, 0, 0x5e, 0, 1, 0x33))).toBe("00:00:5e:00:01:33");
});

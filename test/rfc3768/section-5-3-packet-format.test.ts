/** RFC 3768 section 5.3, and RFC 2338 for authentication: the fields of a version 2 message. */
import { expect, test } from "vitest";
import { decodeAdvertisement, encodeAdvertisement } from "../../src/vrrp/advertisement.ts";
import { fold, sumWords } from "../../src/wire/checksum.ts";
import { hex } from "../support/hex.ts";
import { address, addressList, altered, options4, v2Fields } from "../support/packets.ts";

const password = { type: 1, data: new TextEncoder().encode("secret") };

test("5.1: the layout is that of the figure, with 8 bytes of authentication data also for type 0", () => {
  // 2133 + 6402 + 0001 + c000 + 0201 + 0a00 + 0002 = 15139, folded 513a.
  const pdu = encodeAdvertisement({ ...v2Fields, addressBytes: addressList("192.0.2.1", "10.0.0.2") });
  expect(pdu).toEqual(hex("21 33 64 02 00 01 ae c5 c0 00 02 01 0a 00 00 02 00 00 00 00 00 00 00 00"));
});

test("5.1: the length is 16 and 4 for each address", () => {
  for (const count of [1, 2, 255]) {
    const pdu = encodeAdvertisement({ ...v2Fields, addressBytes: new Uint8Array(count * 4).fill(10) });
    expect(pdu).toHaveLength(16 + count * 4);
    expect(decodeAdvertisement(pdu, options4)).toMatchObject({ count });
  }
});

test("5.3.2: type 1 is the only one, also beside the sub-second type 7 of some vendors", () => {
  expect(decodeAdvertisement(altered(v2Fields, { 0: 0x27 }), options4)).toBe("type");
});

test("5.3.3, 5.3.5: VRID 0 and a count of 0 are refused", () => {
  expect(decodeAdvertisement(altered(v2Fields, { 1: 0 }), options4)).toBe("vrid_zero");
  expect(decodeAdvertisement(altered(v2Fields, { 3: 0 }), options4)).toBe("count_zero");
});

test("5.3.6: the authentication type is handed on, known or not", () => {
  for (const type of [0, 1, 2, 254]) {
    expect(decodeAdvertisement(altered(v2Fields, { 4: type }), options4)).toMatchObject({ authenticationType: type });
  }
});

test("5.3.7: the interval is in whole seconds, 1 to 255; 0 is refused", () => {
  for (const seconds of [1, 2, 255]) {
    const pdu = encodeAdvertisement({ ...v2Fields, interval: seconds * 1000 });
    expect(pdu[5]).toBe(seconds);
    expect(decodeAdvertisement(pdu, options4)).toMatchObject({ interval: seconds * 1000 });
  }
  expect(decodeAdvertisement(altered(v2Fields, { 5: 0 }), options4)).toBe("interval_zero");
  expect(() => encodeAdvertisement({ ...v2Fields, interval: 250 })).toThrow(RangeError);
  expect(() => encodeAdvertisement({ ...v2Fields, interval: 256_000 })).toThrow(RangeError);
});

test("5.3.8: the checksum covers the whole message with the authentication data, and no pseudo-header", () => {
  const pdu = encodeAdvertisement({ ...v2Fields, authentication: password, checksumForm: "pseudo_header" });
  expect(fold(sumWords(pdu))).toBe(0xffff);
  for (const checksum of ["either", "message", "pseudo_header"] as const) {
    const options = { ...options4, checksum, source: address("198.51.100.1") };
    expect(decodeAdvertisement(pdu, options)).toMatchObject({ checksumForm: "message" });
  }
  pdu[13] = (pdu[13] ?? 0) ^ 1;
  expect(decodeAdvertisement(pdu, options4)).toBe("checksum");
});

test("5.3.10: without authentication the data is sent as zeros and ignored on receipt", () => {
  expect(encodeAdvertisement(v2Fields).subarray(12)).toEqual(new Uint8Array(8));
  expect(decodeAdvertisement(altered(v2Fields, { 15: 0x77 }), options4)).toMatchObject({ authenticationType: 0 });
});

test("RFC 2338 5.3.10: a text password is filled up with zeros to 8 bytes; a longer one does not fit", () => {
  const pdu = encodeAdvertisement({ ...v2Fields, authentication: password });
  expect(pdu[4]).toBe(1);
  expect(pdu.subarray(12)).toEqual(hex("73 65 63 72 65 74 00 00"));
  const long = { type: 1, data: new Uint8Array(9) };
  expect(() => encodeAdvertisement({ ...v2Fields, authentication: long })).toThrow(RangeError);
});

test("version 2 knows IPv4 only", () => {
  const fields = { ...v2Fields, family: 6, addressBytes: addressList("fe80::1") } as const;
  expect(() => encodeAdvertisement(fields)).toThrow(RangeError);
});

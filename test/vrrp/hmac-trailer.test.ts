/**
 * The bytes of signed advertisements. They were computed by a Python program (hmac, hashlib, struct) from the layout
 * alone; the first two are also the images in the appendix of draft-cassen-vrrp-auth-hmac.
 */
import { describe, expect, test } from "vitest";
import {
  type AdvertisementFields,
  decodeAdvertisement,
  encodeAdvertisement,
  trailerLength,
} from "../../src/vrrp/advertisement.ts";
import { decodeTrailer, fingerprintOf, isSignedBy, isWellFormed, newKey, sign } from "../../src/vrrp/hmac-trailer.ts";
import { allVrrpRouters4 } from "../../src/wire/address.ts";
import { hex, toHex } from "../support/hex.ts";
import { address, addressList } from "../support/packets.ts";

const secret = Uint8Array.from({ length: 32 }, (_, i) => i);
const key = newKey(1, secret);
const sequence = { seconds: 0x68000000, fraction: 0x80000000 };

const v3: AdvertisementFields = {
  version: 3,
  family: 4,
  vrid: 51,
  priority: 200,
  interval: 1000,
  addressBytes: addressList("192.0.2.100"),
  checksumForm: "message",
  source: address("198.51.100.10"),
  destination: allVrrpRouters4,
};
const v6: AdvertisementFields = {
  ...v3,
  family: 6,
  addressBytes: addressList("fe80::100"),
  source: address("fe80::10"),
  destination: address("fe80::20"),
};

const images = [
  {
    name: "version 3 over IPv4",
    fields: v3,
    bytes: "3133c80100644402c0000264 010100006800000080000000 1b84bc4e8e43892dc6d98448f8ee2265",
  },
  {
    name: "version 3 over IPv6, whose checksum covers the trailer",
    fields: v6,
    bytes: "3133c8010064a2e9fe800000000000000000000000000100 010100006800000080000000 c8c56146ebfd66ee10ec4d8186461b78",
  },
  {
    name: "version 2",
    fields: { ...v3, version: 2 } as const,
    bytes: "2133c80100015465c00002640000000000000000 010100006800000080000000 d0b9391b8d008f779ef2e8cf66238947",
  },
  {
    name: "version 3 over IPv4, the checksum with a pseudo-header that does not count the trailer",
    fields: { ...v3, checksumForm: "pseudo_header" } as const,
    bytes: "3133c80100643935c0000264 010100006800000080000000 1b84bc4e8e43892dc6d98448f8ee2265",
  },
].map((image) => ({ ...image, bytes: hex(image.bytes) }));

function optionsFor({ family, source, destination }: AdvertisementFields) {
  return { family, version: "any", checksum: "either", firstLinkLocal: "strict", source, destination } as const;
}

describe.each(images)("$name", ({ fields, bytes }) => {
  test("is signed to exactly these bytes, the checksum aside", () => {
    const pdu = new Uint8Array(bytes.length);
    pdu.set(encodeAdvertisement(fields));
    sign(pdu, fields.source, key, sequence);
    expect(toHex(pdu.with(6, 0).with(7, 0))).toBe(toHex(bytes.with(6, 0).with(7, 0)));
  });

  test("is decoded where a trailer is expected, checksum and all, and verified", () => {
    const decoded = decodeAdvertisement(bytes, { ...optionsFor(fields), trailer: true });
    expect(decoded).toMatchObject({ vrid: 51, priority: 200, trailer: bytes.subarray(bytes.length - trailerLength) });
    expect(decodeTrailer(bytes.subarray(bytes.length - trailerLength))).toMatchObject({ type: 1, keyId: 1, sequence });
    expect(isSignedBy(bytes, fields.source, key)).toBe(true);
  });

  test("is too long where none is expected", () => {
    expect(decodeAdvertisement(bytes, optionsFor(fields))).toBe("long");
  });

  test("no other length is taken for signed", () => {
    const options = { ...optionsFor(fields), trailer: true };
    for (let extra = 1; extra < 60; extra++) {
      const message = bytes.subarray(0, bytes.length - trailerLength);
      const pdu = new Uint8Array(message.length + extra);
      pdu.set(message);
      const outcome = decodeAdvertisement(pdu, options);
      if (extra === trailerLength) expect(outcome).not.toBe("long");
      else expect(outcome).toBe("long");
    }
    for (let length = 0; length < bytes.length - trailerLength; length++) {
      expect(decodeAdvertisement(bytes.subarray(0, length), options)).toBe("short");
    }
  });

  test("one turned bit anywhere but in the checksum and it is not signed any more, or not well-formed", () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const at = bit >> 3;
      const turned = bytes.with(at, (bytes[at] ?? 0) ^ (1 << (bit & 7)));
      const genuine = isSignedBy(turned, fields.source, key);
      expect([at, genuine]).toEqual([at, at === 6 || at === 7]);
    }
  });

  test("another source, key or family is not what was signed", () => {
    expect(isSignedBy(bytes, fields.source.with(3, 99), key)).toBe(false);
    expect(isSignedBy(bytes, fields.source, newKey(1, secret.with(31, 0)))).toBe(false);
    const other = new Uint8Array(fields.source.length === 4 ? 16 : 4);
    other.set(fields.source.subarray(0, 4));
    expect(isSignedBy(bytes, other, key)).toBe(false);
  });
});

test("type 1 and zeros in the reserved bits are the only well-formed beginning", () => {
  const trailer = images[0]?.bytes.subarray(-trailerLength) ?? new Uint8Array();
  expect(isWellFormed(decodeTrailer(trailer))).toBe(true);
  for (const [at, value] of [
    [0, 0],
    [0, 2],
    [2, 1],
    [3, 1],
  ] as const) {
    expect(isWellFormed(decodeTrailer(trailer.with(at, value)))).toBe(false);
  }
});

test("a fingerprint differs with the key, is the same for the same secret, and is no part of it", () => {
  expect(fingerprintOf(key)).toMatch(/^[0-9a-f]{8}$/);
  expect(fingerprintOf(newKey(9, secret))).toBe(fingerprintOf(key));
  expect(fingerprintOf(newKey(1, secret.with(0, 1)))).not.toBe(fingerprintOf(key));
});

test("what is too short for a trailer is signed by nobody", () => {
  for (const length of [0, 2, 15, 16, 27]) {
    expect(isSignedBy(new Uint8Array(length), Uint8Array.of(192, 0, 2, 1), newKey(1, new Uint8Array(32)))).toBe(false);
  }
});

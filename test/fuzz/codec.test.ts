/** The packet codecs against bytes nobody planned. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Judgement, judgeBareMessage, judgeFrame } from "../../src/cli/decode-packet.ts";
import {
  type AdvertisementFields,
  addressesOf,
  type DecodeOptions,
  decodeAdvertisement,
  encodeAdvertisement,
} from "../../src/vrrp/advertisement.ts";
import { Authenticator } from "../../src/vrrp/authenticator.ts";
import { isSignedBy } from "../../src/vrrp/hmac-trailer.ts";
import { decodeArp, encodeArpProbe, encodeGratuitousArp } from "../../src/wire/arp.ts";
import { decodeEthernet } from "../../src/wire/ethernet.ts";
import { decodeIpv4, decodeIpv6 } from "../../src/wire/ip.ts";
import { carriedPacket } from "../../src/wire/link-layer.ts";
import { decodeNeighbor, encodeUnsolicitedAdvertisement } from "../../src/wire/neighbor.ts";
import { ethernet, ipPacket } from "../support/captures.ts";
import { resummed, v2Fields, v3Fields, v6Fields } from "../support/packets.ts";
import { authHmac, keyOf, signed } from "../support/signed.ts";

const runs = { numRuns: 500 };
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

/** Everything that can be sent. */
const fields: fc.Arbitrary<AdvertisementFields> = fc
  .record({
    kind: fc.constantFrom(
      { version: 2, family: 4 } as const,
      { version: 3, family: 4 } as const,
      {
        version: 3,
        family: 6,
      } as const,
    ),
    vrid: fc.integer({ min: 1, max: 255 }),
    priority: fc.integer({ min: 0, max: 255 }),
    centiseconds: fc.integer({ min: 1, max: 4095 }),
    seconds: fc.integer({ min: 1, max: 255 }),
    list: fc.array(bytes(16), { minLength: 1, maxLength: 255 }),
    form: fc.constantFrom("message" as const, "pseudo_header" as const),
    authentication: fc.record({ type: fc.integer({ min: 0, max: 255 }), data: bytes(8) }),
    ends: fc.tuple(bytes(16), bytes(16)),
  })
  .map(({ kind, list, centiseconds, seconds, form, authentication, ends, ...rest }) => {
    const size = kind.family === 4 ? 4 : 16;
    const addressBytes = Uint8Array.from(list.flatMap((address) => [...address.subarray(0, size)]));
    if (size === 16) addressBytes.set([0xfe, 0x80]);
    const [source, destination] = ends.map((end) => end.subarray(0, size)) as [Uint8Array, Uint8Array];
    const interval = kind.version === 2 ? seconds * 1000 : centiseconds * 10;
    const base = { ...kind, ...rest, interval, addressBytes, checksumForm: form, source, destination };
    return kind.version === 2 ? { ...base, authentication } : base;
  });

function optionsFor({ family, source, destination }: AdvertisementFields): DecodeOptions {
  return { family, version: "any", checksum: "either", firstLinkLocal: "strict", source, destination };
}

const how: Judgement = {
  version: "any",
  checksum: "either",
  firstLinkLocal: "lenient",
  source: undefined,
  destination: undefined,
};

test("no decoder throws, whatever the bytes", () => {
  const linkType = fc.constantFrom(0, 1, 12, 101, 108, 113, 228, 229, 276, 999);
  fc.assert(
    fc.property(linkType, fc.uint8Array({ maxLength: 120 }), (type, input) => {
      decodeEthernet(input);
      decodeIpv4(input);
      decodeIpv6(input);
      decodeArp(input);
      decodeNeighbor(input);
      carriedPacket(type, input);
      judgeFrame(type, input, how);
      judgeBareMessage(input, how);
      for (const example of [v2Fields, v3Fields, v6Fields]) decodeAdvertisement(input, optionsFor(example));
    }),
    { numRuns: 2000 },
  );
});

test("a signed message is read back whole, verified, and not verified with anything exchanged", () => {
  fc.assert(
    fc.property(fields, fc.nat(), fc.integer({ min: 1, max: 255 }), (sent, random, change) => {
      const pdu = signed(sent, { seconds: random, fraction: change });
      const decoded = decodeAdvertisement(pdu, { ...optionsFor(sent), checksum: sent.checksumForm, trailer: true });
      if (typeof decoded === "string") throw new Error(decoded);
      expect(decoded).toMatchObject({ vrid: sent.vrid, priority: sent.priority, addressBytes: sent.addressBytes });
      expect(decoded.trailer?.length).toBe(28);
      expect(decodeAdvertisement(pdu, optionsFor(sent))).toBe("long");
      expect(isSignedBy(pdu, sent.source, keyOf(1))).toBe(true);
      const at = random % pdu.length;
      const altered = pdu.with(at, (pdu[at] ?? 0) ^ change);
      expect(isSignedBy(altered, sent.source, keyOf(1))).toBe(at === 6 || at === 7);
    }),
    runs,
  );
});

test("an authenticator throws at no packet, and takes none of these for genuine", () => {
  const clocks = { now: () => 0, wallClock: () => "", timeOfDay: () => 0 };
  const input = fc.uint8Array({ maxLength: 120 });
  for (const mode of ["enforce", "permissive", "receive_only"] as const) {
    const authenticator = new Authenticator(authHmac({ mode }), clocks, 0);
    fc.assert(
      fc.property(input, fc.constantFrom(v2Fields, v3Fields, v6Fields), (pdu, { source, destination }) => {
        const datagram = { source, destination, ttl: 255, pdu };
        const outcome = authenticator.arrived(0).judge(datagram, pdu.subarray(Math.max(0, pdu.length - 28)));
        expect(outcome).toMatch(/^hmac_/);
        if (outcome !== undefined) expect(authenticator.explain(outcome, datagram)).toContain(outcome);
      }),
      runs,
    );
  }
});

test("what is accepted keeps its promises", () => {
  /** Bytes that get past the early checks: a good first byte, a count that fits, a right checksum. */
  const plausible = fc.tuple(
    fc.constantFrom(v2Fields, v3Fields, v6Fields),
    fc.uint8Array({ minLength: 8, maxLength: 90 }),
  );
  let accepted = 0;
  fc.assert(
    fc.property(plausible, ([example, input]) => {
      const size = example.family === 4 ? 4 : 16;
      const tail = example.version === 2 ? 8 : 0;
      input[0] = (example.version << 4) | 1;
      input[3] = Math.floor((input.length - 8 - tail) / size);
      const pdu = resummed(input.slice(0, 8 + (input[3] ?? 0) * size + tail), example);
      const decoded = decodeAdvertisement(pdu, { ...optionsFor(example), firstLinkLocal: "lenient" });
      if (typeof decoded === "string") return;
      accepted++;
      expect(decoded.vrid).toBeGreaterThan(0);
      expect(decoded.interval).toBeGreaterThan(0);
      expect(decoded.interval).toBeLessThanOrEqual(255_000);
      expect(decoded.count).toBe(addressesOf(decoded, example.family).length);
      expect(decoded.addressBytes.length).toBe(decoded.count * size);
      expect(decoded.addressBytes.buffer).toBe(pdu.buffer);
      expect(decoded.authenticationData?.length).toBe(example.version === 2 ? 8 : undefined);
    }),
    runs,
  );
  expect(accepted).toBeGreaterThan(runs.numRuns / 5);
});

test("what is encoded is decoded to the same", () => {
  fc.assert(
    fc.property(fields, (sent) => {
      const decoded = decodeAdvertisement(encodeAdvertisement(sent), optionsFor(sent));
      expect(decoded).toMatchObject({
        version: sent.version,
        vrid: sent.vrid,
        priority: sent.priority,
        interval: sent.interval,
        addressBytes: sent.addressBytes,
        authenticationType: sent.authentication?.type ?? 0,
        authenticationData: sent.authentication?.data,
      });
    }),
    runs,
  );
});

test("what is accepted is encoded to the same bytes", () => {
  fc.assert(
    fc.property(fields, (sent) => {
      const pdu = encodeAdvertisement(sent);
      const decoded = decodeAdvertisement(pdu, optionsFor(sent));
      if (typeof decoded === "string") throw new Error(decoded);
      const { authenticationType: type, authenticationData: data, ...rest } = decoded;
      const authentication = data && { authentication: { type, data } };
      const { family, source, destination } = sent;
      expect(encodeAdvertisement({ ...rest, ...authentication, family, source, destination })).toEqual(pdu);
    }),
    runs,
  );
});

test("encoding leaves no byte of the memory as it was, and touches none behind", () => {
  fc.assert(
    fc.property(fields, fc.nat({ max: 9 }), (sent, spare) => {
      const expected = encodeAdvertisement(sent);
      const into = new Uint8Array(expected.length + spare).fill(0xa5);
      expect(encodeAdvertisement(sent, into)).toEqual(expected);
      expect(into.subarray(expected.length).every((byte) => byte === 0xa5)).toBe(true);
    }),
    runs,
  );
  fc.assert(
    fc.property(bytes(6), bytes(4), bytes(16), (mac, address4, address6) => {
      const dirty = () => new Uint8Array(86).fill(0xa5);
      expect(encodeGratuitousArp(mac, address4, dirty())).toEqual(encodeGratuitousArp(mac, address4));
      expect(encodeArpProbe(mac, address4, dirty())).toEqual(encodeArpProbe(mac, address4));
      expect(encodeUnsolicitedAdvertisement(mac, address6, dirty())).toEqual(
        encodeUnsolicitedAdvertisement(mac, address6),
      );
      expect(decodeArp(encodeGratuitousArp(mac, address4))).toMatchObject({ senderMac: mac, senderAddress: address4 });
      expect(decodeNeighbor(encodeUnsolicitedAdvertisement(mac, address6))).toMatchObject({ mac, target: address6 });
    }),
    { numRuns: 100 },
  );
});

test("every prefix of a valid message is refused", () => {
  fc.assert(
    fc.property(fields, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (sent, part) => {
      const pdu = encodeAdvertisement(sent);
      const length = Math.floor(pdu.length * part);
      expect(decodeAdvertisement(pdu.subarray(0, length), optionsFor(sent))).toBe("short");
    }),
    runs,
  );
});

test("a message with one bit turned is refused", () => {
  fc.assert(
    fc.property(fields, fc.nat(), (sent, random) => {
      const pdu = encodeAdvertisement(sent);
      const bit = random % (pdu.length * 8);
      pdu[bit >> 3] = (pdu[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      // One form only: a turned bit may happen to be the difference between the two.
      expect(typeof decodeAdvertisement(pdu, { ...optionsFor(sent), checksum: sent.checksumForm })).toBe("string");
    }),
    runs,
  );
});

test("a frame with one bit turned is refused, passed over, or differs in what nothing protects", () => {
  // MAC addresses, tags, TOS, identification, flow label and IPv4 header checksum are not looked at.
  for (const example of [v2Fields, v3Fields, v6Fields]) {
    const frame = ethernet(ipPacket(example));
    const original = JSON.stringify(judgeFrame(1, frame, how));
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const turned = new Uint8Array(frame);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const answer = judgeFrame(1, turned, how);
      if (typeof answer === "string" || !answer.valid) continue;
      const at = bit >> 3;
      const unread = at < 12 || (example.family === 4 ? [15, 18, 19, 20, 24, 25] : [14, 15, 16, 17]).includes(at);
      const addresses = example.family === 4 && at >= 26 && at < 34;
      expect([bit, unread || addresses]).toEqual([bit, true]);
      if (unread) expect(JSON.stringify(answer)).toBe(original);
      else expect(JSON.stringify(answer)).not.toBe(original);
    }
  }
});

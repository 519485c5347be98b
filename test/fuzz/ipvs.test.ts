/** The IPVS codecs against bytes nobody planned, and back and forth. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeDestination } from "../../src/lvs/destination-codec.ts";
import { Fingerprint } from "../../src/lvs/fingerprint.ts";
import type { ServiceAddress, Tunnel } from "../../src/lvs/parameters.ts";
import { encodeOperation, encodeSetTimeouts, encodeStartSyncDaemon } from "../../src/lvs/requests.ts";
import { decodeService } from "../../src/lvs/service-codec.ts";
import { decodeInfo, decodeSyncDaemon, decodeTimeouts } from "../../src/lvs/sync-codec.ts";
import type { DestinationSettings, KernelSyncDaemon, ServiceSettings } from "../../src/lvs/table.ts";
import { validateOperation } from "../../src/lvs/validate.ts";
import { decodeFamily } from "../../src/netlink/generic.ts";
import { type Family, formatAddress } from "../../src/wire/address.ts";
import { ipvsGoldens } from "../support/ipvs-golden.ts";

const decoders = [
  decodeService,
  (bytes: Uint8Array) => decodeDestination(bytes, 4),
  (bytes: Uint8Array) => decodeDestination(bytes, 6),
  decodeSyncDaemon,
  decodeTimeouts,
  decodeInfo,
  decodeFamily,
];
const replies = ipvsGoldens("service", "server", "daemon", "timeouts", "info").map(({ bytes }) => bytes);

const u16 = fc.integer({ min: 0, max: 0xffff });
const i31 = fc.integer({ min: 0, max: 0x7fffffff });
const family = fc.constantFrom<Family>(4, 6);
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,14}$/);
const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const text = (family: Family, bytes: Uint8Array) => formatAddress(bytes.subarray(0, family === 4 ? 4 : 16));

const service: fc.Arbitrary<ServiceAddress> = fc
  .tuple(family, fc.constantFrom("tcp" as const, "udp" as const, "sctp" as const), bytes16, u16, fc.option(i31))
  .map(([family, protocol, bytes, port, mark]) =>
    mark === null
      ? { kind: "address", family, protocol, address: text(family, bytes), port }
      : { kind: "mark", family, mark: mark + 1 },
  );

const settings: fc.Arbitrary<ServiceSettings> = fc
  .record({ scheduler: name, flags: i31, timeout: i31, netmask: i31, engine: fc.option(name) })
  .map(({ engine, flags, ...rest }) => ({ ...rest, flags: flags & ~2, ...(engine !== null && { engine }) }));

const checksum = fc.constantFrom("nocsum" as const, "csum" as const, "remcsum" as const);
const tunnel: fc.Arbitrary<Tunnel> = fc.oneof(
  fc.constant({ type: "ipip" as const }),
  checksum.map((checksum) => ({ type: "gre" as const, checksum })),
  fc.record({ type: fc.constant("gue" as const), port: u16, checksum }),
);
const forwarding: fc.Arbitrary<DestinationSettings["forwarding"]> = fc.oneof(
  fc.constantFrom("nat" as const, "dr" as const, "local" as const, "bypass" as const).map((method) => ({ method })),
  tunnel.map((tunnel) => ({ method: "tun" as const, tunnel })),
);
const destination: fc.Arbitrary<DestinationSettings> = fc
  .record({ family, bytes: bytes16, port: u16, forwarding, weight: i31, upperThreshold: i31, lowerThreshold: i31 })
  .map(({ bytes, ...rest }) => ({ ...rest, address: text(rest.family, bytes) }));

test("no decoder throws, whatever the bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (input) => {
      for (const decode of decoders) decode(input);
      new Fingerprint().add(input);
    }),
    { numRuns: 3000 },
  );
});

test("no decoder throws at what the kernel sent with a few bytes exchanged, or cut off", () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...replies), changes, fc.nat(), (reply, changed, cut) => {
      const input = reply.slice(0, cut % 3 === 0 ? cut % reply.length : reply.length);
      for (const [at, value] of changed) if (input.length > 0) input[at % input.length] = value;
      for (const decode of decoders) decode(input);
    }),
    { numRuns: 3000 },
  );
});

test("what is cut off is never half a service", () => {
  for (const { kind, bytes } of ipvsGoldens("service", "server")) {
    for (let length = 8; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      expect(kind === "service" ? decodeService(cut) : decodeDestination(cut, 4)).toBeUndefined();
    }
  }
});

test("a service is read back as it was written", () => {
  fc.assert(
    fc.property(service, settings, (service, settings) => {
      const read = decodeService(encodeOperation({ type: "add-service", service, settings }));
      expect({ service: read?.address, settings: read?.settings }).toEqual({ service, settings });
    }),
  );
});

test("a destination is read back as it was written", () => {
  fc.assert(
    fc.property(service, destination, (service, settings) => {
      const read = decodeDestination(encodeOperation({ type: "edit-destination", service, settings }), service.family);
      expect(read?.settings).toEqual(settings);
    }),
  );
});

test("a sync daemon and timeouts are read back as they were written", () => {
  const daemon: fc.Arbitrary<KernelSyncDaemon> = fc
    .record({ role: fc.constantFrom("master" as const, "backup" as const), name, id: i31, u16, family, bytes: bytes16 })
    .map(({ role, name, id, u16, family, bytes }) => ({
      role,
      parameters: {
        interface: name,
        syncId: id,
        maximumLength: u16,
        group: text(family, bytes),
        port: u16,
        ttl: u16 & 255,
      },
    }));
  fc.assert(
    fc.property(daemon, (daemon) => {
      expect(decodeSyncDaemon(encodeStartSyncDaemon(daemon))).toEqual(daemon);
    }),
  );
  fc.assert(
    fc.property(i31, i31, i31, (tcp, tcpFin, udp) => {
      const timeouts = { tcp: tcp * 1000, tcpFin: tcpFin * 1000, udp: udp * 1000 };
      expect(decodeTimeouts(encodeSetTimeouts(timeouts))).toEqual(timeouts);
    }),
  );
});

test("what is found right can be encoded", () => {
  fc.assert(
    fc.property(service, destination, settings, (service, destination, settings) => {
      for (const operation of [
        { type: "add-destination", service, settings: destination },
        { type: "edit-service", service, settings },
      ] as const) {
        if (validateOperation(operation) === undefined) expect(encodeOperation(operation).length).toBeGreaterThan(50);
      }
    }),
  );
});

/** RFC 9568 section 7.2: what an advertisement looks like when it leaves, and where from. */
import { expect, test } from "vitest";
import { decodeAdvertisement } from "../../src/vrrp/advertisement.ts";
import { decodeIpv4, decodeIpv6 } from "../../src/wire/ip.ts";
import { addressList, options4, options6 } from "../support/packets.ts";
import { Lab } from "../support/simulated-lab.ts";
import { dualStack, type instance } from "../vrrp/samples.ts";

function running(changes: Parameters<typeof instance>[0] = {}): Lab {
  const lab = new Lab();
  lab.node("a", 11, changes);
  lab.start();
  lab.run(5000);
  return lab;
}

test("7.2: over IPv4 the source is the primary address, the destination the group, TTL 255, protocol 112, traffic class 6", () => {
  const packet = decodeIpv4(running().lan.datagrams[0] ?? new Uint8Array());
  expect(packet).toMatchObject({
    ttl: 255,
    protocol: 112,
    source: Uint8Array.of(192, 0, 2, 11),
    destination: Uint8Array.of(224, 0, 0, 18),
  });
  expect(running().lan.datagrams[0]?.[1]).toBe(0xc0);
});

test("7.2: over IPv6 the source is the link-local address, the destination the group, hop limit 255", () => {
  const lab = running({ ...dualStack(), families: [6] });
  expect(lab.adverts()[0]).toMatchObject({ source: "fe80::b", destination: "ff02::12", ttl: 255 });
  const packet = decodeIpv6(lab.lan.datagrams[0] ?? new Uint8Array());
  expect(packet?.protocol).toBe(112);
});

test("7.2: the message carries VRID, priority, interval and every address in configured order, under a right checksum", () => {
  const lab = running({ ...dualStack({ priority: 123, advertisementInterval: 1230 }), families: [6] });
  const packet = decodeIpv6(lab.lan.datagrams[0] ?? new Uint8Array());
  if (packet === undefined) throw new Error("no packet");
  const { source, destination } = packet;
  expect(decodeAdvertisement(packet.payload, { ...options6, source, destination })).toMatchObject({
    version: 3,
    vrid: 51,
    priority: 123,
    interval: 1230,
    addressBytes: addressList("fe80::51", "2001:db8::51"),
  });
});

test("7.2: the checksum is right for the source that is really used, also after the primary address changed", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, { checksumSend: "pseudo_header" });
  lab.start();
  lab.run(5000);
  node.kernel.addByHand("192.0.2.33", 24);
  node.kernel.deleteByHand("192.0.2.11");
  lab.run(1000);
  const packet = decodeIpv4(lab.lan.datagrams.at(-1) ?? new Uint8Array());
  if (packet === undefined) throw new Error("no packet");
  const { source, destination } = packet;
  expect(source).toEqual(Uint8Array.of(192, 0, 2, 33));
  const strict = { ...options4, checksum: "pseudo_header", source, destination } as const;
  expect(decodeAdvertisement(packet.payload, strict)).toMatchObject({ checksumForm: "pseudo_header" });
});

test.each(["message", "pseudo_header"] as const)("7.2: the configured form of the checksum is sent: %s", (form) => {
  expect(running({ checksumSend: form }).adverts()[0]?.checksumForm).toBe(form);
});

test.each(["message", "pseudo_header"] as const)("auto answers in the form that was heard last: %s", (form) => {
  const lab = new Lab();
  lab.node("a", 11, { checksumSend: form, priority: 200 });
  const other = lab.node("b", 12);
  lab.start();
  lab.run(5000);
  lab.nodes[0]?.stop();
  lab.run(5000);
  expect(lab.adverts({ node: "b" })[0]?.checksumForm).toBe(form);
  expect(other.status.routers[0]?.checksum_form).toBe(form);
});

test("a source that is configured is used", () => {
  const lab = new Lab();
  const node = lab.node("a", 11, { source4: "192.0.2.44" });
  node.kernel.addByHand("192.0.2.44", 24);
  lab.start();
  lab.run(5000);
  expect(lab.adverts()[0]?.source).toBe("192.0.2.44");
});

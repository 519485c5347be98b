/** The raw socket that the virtual routers of one simulated interface and family share, with its queue. */
import type { Receiver } from "../../src/vrrp/host.ts";
import type { Instant } from "../../src/vrrp/parameters.ts";
import { type Datagram, refuseUnknown } from "../../src/vrrp/reception.ts";
import type { Family } from "../../src/wire/address.ts";
import { decodeIpv4, decodeIpv6 } from "../../src/wire/ip.ts";

/** Packets that wait for a process that does not run; then the kernel drops. */
const queueLength = 2000;

export class SimulatedSocket {
  readonly receivers = new Map<number, Receiver>();
  /** Names of the checks that packets for nobody failed. */
  readonly rejected: string[] = [];
  readonly #family: Family;
  readonly #queue: { readonly bytes: Uint8Array; readonly at: Instant }[] = [];
  readonly #slab = new Uint8Array(2048);

  constructor(family: Family) {
    this.#family = family;
  }

  arrive(bytes: Uint8Array, at: Instant): void {
    if (this.#queue.length < queueLength) this.#queue.push({ bytes, at });
  }

  read(most: number): void {
    for (let i = 0; i < most; i++) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#slab.set(next.bytes);
      this.#deliver(this.#slab.subarray(0, next.bytes.length), next.at);
      // What a receiver wants to keep it must have copied.
      this.#slab.fill(0xee);
    }
  }

  #deliver(bytes: Uint8Array, at: Instant): void {
    const datagram = this.#family === 4 ? fromIpv4(bytes) : fromIpv6(bytes);
    if (datagram === undefined) {
      this.rejected.push("ip");
      return;
    }
    const receiver = this.receivers.get(datagram.pdu[1] ?? -1);
    if (receiver === undefined) this.rejected.push(refuseUnknown(datagram, this.#family));
    else receiver.receive(datagram, at);
  }
}

function fromIpv4(bytes: Uint8Array): Datagram | undefined {
  const packet = decodeIpv4(bytes);
  return packet && { source: packet.source, destination: packet.destination, ttl: packet.ttl, pdu: packet.payload };
}

function fromIpv6(bytes: Uint8Array): Datagram | undefined {
  const packet = decodeIpv6(bytes);
  return (
    packet && { source: packet.source, destination: packet.destination, ttl: packet.hopLimit, pdu: packet.payload }
  );
}

/** The raw sockets in use: one for each interface and address family, opened by the first router and closed after the last. */
import type { Link } from "../netlink/link.ts";
import { errnoName } from "../socket/errno.ts";
import type { Family } from "../wire/address.ts";
import type { Channel, Receiver } from "./host.ts";
import type { InterfaceStatus } from "./status.ts";
import { type FrameSender, Transport } from "./transport.ts";

export class Channels {
  readonly #frames: Pick<FrameSender, "send">;
  readonly #warn: (message: string) => void;
  readonly #transports = new Map<string, Transport>();
  /** Closed as soon as what is still to be sent has been sent. */
  #afterwards: (() => void)[] | undefined;

  constructor(frames: Pick<FrameSender, "send">, warn: (message: string) => void) {
    this.#frames = frames;
    this.#warn = warn;
  }

  /** Throws when the kernel refuses the socket, or the VRID is in use on it. */
  open(link: Link, family: Family, receiver: Receiver): Channel {
    const key = `${link.index}/${family}`;
    const transport = this.#transports.get(key) ?? this.#open(key, link, family);
    transport.add(receiver);
    const sendNow = (bytes: Uint8Array, send: () => number) => {
      if (this.#afterwards === undefined) return send();
      this.#afterwards.push(send);
      return bytes.length;
    };
    return {
      send: (datagram, destination) => sendNow(datagram, () => transport.send(datagram, destination)),
      sendFrame: (frame) => sendNow(frame, () => this.#frames.send(link, frame)),
      drain: () => transport.drain(),
      close: () => {
        transport.remove(receiver);
        if (this.#afterwards === undefined) this.#closeIdle();
      },
    };
  }

  /** Runs `work`; what it sends leaves when it has returned. */
  sendingAfterwards(work: () => void): void {
    const sends: (() => void)[] = [];
    this.#afterwards = sends;
    try {
      work();
    } finally {
      this.#afterwards = undefined;
      for (const send of sends) send();
      this.#closeIdle();
    }
  }

  status(): InterfaceStatus[] {
    return [...this.#transports.values()].map((transport) => transport.status());
  }

  #open(key: string, link: Link, family: Family): Transport {
    const transport = Transport.open(link, family, (errno) =>
      this.#warn(`VRRP socket for IPv${family} on ${link.name}: ${errnoName(errno)}`),
    );
    this.#transports.set(key, transport);
    return transport;
  }

  #closeIdle(): void {
    for (const [key, transport] of this.#transports) {
      if (!transport.idle) continue;
      transport.close();
      this.#transports.delete(key);
    }
  }
}

/**
 * Plays elections of a made-up instance on a host that does nothing, right after the start.
 *
 * A backup may wait for years before its first takeover, and JavaScript that runs for the first time is parsed and
 * compiled first: several milliseconds between the advertisement and the address. After the rehearsal it is ready.
 */
import { Connection } from "../netlink/connection.ts";
import type { Link } from "../netlink/link.ts";
import { AF_UNIX, SOCK_DGRAM } from "../socket/constants.ts";
import { Socket } from "../socket/socket.ts";
import { allVrrpRouters4, allVrrpRouters6, type Family, parseAddress } from "../wire/address.ts";
import { ipv4HeaderLength, ipv6HeaderLength } from "../wire/ip.ts";
import { KernelAddresses } from "./address-requests.ts";
import { type AdvertisementFields, trailerLength } from "./advertisement.ts";
import { Agenda } from "./agenda.ts";
import { Authenticator } from "./authenticator.ts";
import { encodeDatagram } from "./datagram.ts";
import type { Host, Receiver } from "./host.ts";
import { Instance } from "./instance.ts";
import type { AuthHmacParameters, InstanceParameters, Instant } from "./parameters.ts";
import { seal } from "./seal.ts";
import { FrameSender, Transport } from "./transport.ts";
import { Verdicts } from "./verdicts.ts";

const rounds = 12;
const vrid = 1;
const interval = 1000;
const link: Link = {
  index: 1,
  name: "rehearsal",
  flags: 0,
  up: true,
  running: true,
  mtu: 1500,
  mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  type: 1,
};
const better = { 4: bytesOf("192.0.2.3"), 6: bytesOf("fe80::3") } as const;
const virtual = { 4: "192.0.2.1", 6: "fe80::1" } as const;
const authHmac: AuthHmacParameters = {
  keys: [{ id: 1, secret: "00".repeat(32) }],
  activeKey: 1,
  mode: "enforce",
  antiReplay: "time",
  timeWindow: 5000,
};
const own = { 4: "192.0.2.2", 6: "fe80::2" } as const;

/**
 * One round at a time; `pause` lets the loop turn in between, for the real instances are running already. With
 * `authenticated` once more with signed advertisements: the first signature of a process takes a hundred times longer.
 */
export async function rehearse(pause: () => Promise<void>, authenticated: boolean): Promise<void> {
  const plain = [new Stage(4), new Stage(6)];
  const stages = authenticated ? [...plain, new Stage(4, authHmac), new Stage(6, authHmac)] : plain;
  for (const stage of stages) {
    for (let i = 0; i < rounds; i++) {
      stage.play();
      await pause();
    }
    stage.end();
  }
}

class Stage {
  readonly #family: Family;
  readonly #instance: Instance;
  /** Of the router that is heard. */
  readonly #authenticator: Authenticator | undefined;
  readonly #connection = new Connection(
    { send: (bytes) => bytes.length, receive: () => ({ ...nothing }), watch: () => {}, close: () => {} },
    { onError: () => {} },
  );
  /** Real ones, on sockets that lead nowhere: sending is compiled as well. */
  readonly #frames = new FrameSender(nowhere());
  readonly #transport: Transport;
  #now: Instant = 0;
  #receiver: Receiver | undefined;
  #expire = () => {};

  constructor(family: Family, authentication?: AuthHmacParameters) {
    this.#family = family;
    this.#transport = new Transport(link, family, nowhere(), () => {});
    const host = this.#host();
    this.#authenticator = authentication && new Authenticator(authentication, host, 0);
    this.#instance = new Instance(
      { ...parameters(family), ...(authentication === undefined ? {} : { authHmac: authentication }) },
      host,
    );
  }

  /** Nobody is heard, the role is taken; somebody better is heard, the role is given up. */
  play(): void {
    this.#instance.refresh();
    this.#pass(5 * interval);
    this.#hear(200);
    this.#hear(0);
    this.#pass(2 * interval);
    this.#hear(50);
    this.#instance.stop("");
  }

  end(): void {
    this.#instance.status();
    this.#connection.close();
    this.#transport.close();
    this.#frames.close();
  }

  #pass(duration: number): void {
    for (const end = this.#now + duration; this.#now < end; this.#now += 250) this.#expire();
  }

  #hear(priority: number): void {
    const source = better[this.#family];
    const destination = this.#family === 4 ? allVrrpRouters4 : allVrrpRouters6;
    const fields: AdvertisementFields = {
      version: 3,
      family: this.#family,
      vrid,
      priority,
      interval,
      addressBytes: bytesOf(virtual[this.#family]),
      checksumForm: "message",
      source,
      destination,
    };
    const bytes = encodeDatagram(fields, 255, this.#authenticator === undefined ? 0 : trailerLength);
    if (this.#authenticator !== undefined) seal([{ bytes, destination }], source, this.#authenticator);
    const pdu = bytes.subarray(this.#family === 4 ? ipv4HeaderLength : ipv6HeaderLength);
    this.#receiver?.receive({ source, destination, ttl: 255, pdu }, this.#now);
  }

  #host(): Host {
    const now = () => this.#now;
    const agenda = new Agenda(now, (expire) => {
      this.#expire = expire;
      return { arm: () => {}, disarm: () => {} };
    });
    const address = bytesOf(own[this.#family]);
    const entry = { family: this.#family, index: 1, address, prefixLength: 64, scope: 0, flags: 0, protocol: 0 };
    const addresses = [
      { ...entry, validLifetime: Number.POSITIVE_INFINITY, preferredLifetime: Number.POSITIVE_INFINITY },
    ];
    return {
      now,
      wallClock: () => "",
      timeOfDay: () => this.#now,
      linkByName: () => link,
      verdicts: new Verdicts(),
      addressesOn: () => addresses,
      isVirtual: () => false,
      isHeldElsewhere: () => false,
      filter: { state: () => ({}) },
      addresses: new KernelAddresses(
        this.#connection,
        this.#connection,
        () => link.name,
        () => {},
      ),
      // A made-up instance without a virtual MAC address asks for neither.
      links: {
        create: () => {},
        delete: () => {},
        isLeaving: () => false,
        raise: () => {},
        lower: () => {},
        correct: () => {},
      },
      settings: { read: () => undefined, set: () => [], hold: () => [], release: () => {} },
      routing: {
        routesAt: () => [],
        rulesAt: () => [],
        claim: () => {},
        abandon: () => {},
        isHeldElsewhere: () => false,
        waits: () => {},
        perform: () => {},
        lookAgain: () => {},
      },
      openChannel: (_link, _family, receiver) => {
        this.#receiver = receiver;
        return {
          send: (datagram, destination) => {
            this.#transport.send(datagram, destination);
            return datagram.length;
          },
          sendFrame: (frame) => this.#frames.send(link, frame),
          drain: () => this.#transport.drain(),
          close: () => {},
        };
      },
      sendFrame: (on, frame) => this.#frames.send(on, frame),
      addressClaims: { watch: () => () => {} },
      errnoName: () => "",
      stalled: () => {},
      schedule: (timer, at) => agenda.schedule(timer, at),
      scheduleBackground: (timer, at) => agenda.scheduleBackground(timer, at),
      soon: (work) => agenda.soon(work),
      log: () => {},
      event: () => {},
    };
  }
}

function nowhere(): Socket {
  return Socket.open(AF_UNIX, SOCK_DGRAM, 0, "socket of the rehearsal");
}

const nothing = {
  count: 0,
  bytes: () => new Uint8Array(),
  truncated: () => false,
  source: () => new Uint8Array(),
};

function parameters(family: Family): InstanceParameters {
  return {
    name: "rehearsal",
    interface: link.name,
    vrid,
    version: 3,
    families: [family],
    priority: 100,
    advertisementInterval: interval,
    preempt: true,
    preemptDelay: 0,
    virtualAddresses: [
      {
        address: virtual[family],
        prefixLength: family === 4 ? 32 : 128,
        device: link.name,
        scope: 0,
        noprefixroute: false,
        nodad: true,
      },
    ],
    excludedAddresses: [],
    accept: true,
    unicastPeers: [],
    unicastTtl: 255,
    checksumSend: "auto",
    checksumReceive: "either",
    firstLinkLocal: "strict",
    ownerConflict: "process",
    checkAddressList: false,
    announce: {
      repeat: 3,
      delay: 5000,
      delayRepeat: 1,
      refresh: 60_000,
      refreshRepeat: 1,
      interval: 0,
      lowerPriorityRepeat: 3,
    },
    lease: 5000,
    track: [],
    yieldOnLowerPriority: false,
  };
}

function bytesOf(text: string): Uint8Array {
  return parseAddress(text) ?? new Uint8Array(4);
}

/** The sending half of a router: its advertisements as datagrams, encoded when something in them changed, not each time. */
import type { Family, IpAddress } from "../wire/address.ts";
import { encodeMulticastFrame, ethernetHeaderLength } from "../wire/ethernet.ts";
import { trailerLength } from "./advertisement.ts";
import type { Authenticator } from "./authenticator.ts";
import type { MutableCounters } from "./counters.ts";
import { encodeDatagram } from "./datagram.ts";
import type { Channel } from "./host.ts";
import type { ChecksumForm, InstanceParameters } from "./parameters.ts";
import type { Expectations } from "./reception.ts";
import { type Prepared, seal } from "./seal.ts";
import { advertisingMac } from "./virtual-mac.ts";

interface Packet extends Prepared {
  /** The frame that `bytes` lie in, when it does not leave as the interface's own. */
  readonly frame: Uint8Array | undefined;
}

interface Encoded {
  readonly priority: number;
  readonly packets: readonly Packet[];
}

export class Advertiser {
  readonly #family: Family;
  readonly #counters: MutableCounters;
  #parameters: InstanceParameters;
  #expected: Expectations;
  #authenticator: Authenticator | undefined;
  #encoded: Encoded | undefined;
  /** Of the last valid advertisement heard; what `auto` answers with. */
  #heardForm: ChecksumForm | undefined;

  constructor(family: Family, parameters: InstanceParameters, expected: Expectations, counters: MutableCounters) {
    this.#family = family;
    this.#parameters = parameters;
    this.#expected = expected;
    this.#counters = counters;
  }

  configure(
    parameters: InstanceParameters,
    expected: Expectations,
    authenticator: Authenticator | undefined = undefined,
  ): void {
    this.#parameters = parameters;
    this.#expected = expected;
    this.#authenticator = authenticator;
    this.#encoded = undefined;
  }

  /** The form of the version 3 checksum over IPv4; the other kinds of advertisement have one form only. */
  get form(): ChecksumForm {
    if (this.#family === 6) return "pseudo_header";
    const { version, checksumSend } = this.#parameters;
    if (version === 2) return "message";
    // Until somebody is heard: the form that keepalived and FRR insist on. viprd itself takes either.
    return checksumSend === "auto" ? (this.#heardForm ?? "pseudo_header") : checksumSend;
  }

  heard(form: ChecksumForm): void {
    if (this.#parameters.version !== 3 || this.#family !== 4) return;
    if (form !== this.form) this.#counters.other_checksum_form++;
    if (form === this.#heardForm) return;
    this.#heardForm = form;
    this.#encoded = undefined;
  }

  /** Encodes what `send` will need, ahead of time. */
  prepare(priority: number): Encoded {
    if (this.#encoded?.priority !== priority) this.#encoded = this.#encode(priority);
    return this.#encoded;
  }

  /** One advertisement, to every peer when there are peers; the errno when one could not be sent, otherwise 0. */
  send(priority: number, channel: Channel | undefined): number {
    const { packets } = this.prepare(priority);
    if (this.#authenticator?.signs) seal(packets, this.#expected.ownAddress, this.#authenticator);
    let errno = 0;
    for (const { bytes, frame, destination } of packets) {
      const result = (frame === undefined ? channel?.send(bytes, destination) : channel?.sendFrame(frame)) ?? 0;
      if (result < 0) errno = -result;
    }
    if (errno !== 0) {
      this.#counters.send_errors++;
      return errno;
    }
    this.#counters.adverts_sent++;
    if (priority === 0) this.#counters.priority_zero_sent++;
    return 0;
  }

  #encode(priority: number): Encoded {
    const { vrid, version, unicastTtl, advertisementInterval } = this.#parameters;
    const { peers, addressBytes, group, password, ownAddress } = this.#expected;
    const destinations = peers.length === 0 ? [group] : peers.map(({ address }) => address);
    const fields = {
      version,
      family: this.#family,
      vrid,
      priority,
      interval: advertisementInterval,
      addressBytes,
      checksumForm: this.form,
      source: ownAddress,
      ...(password === undefined ? {} : { authentication: { type: 1, data: password } }),
    };
    const room = this.#authenticator?.signs ? trailerLength : 0;
    const ttl = peers.length === 0 ? 255 : unicastTtl;
    const mac = advertisingMac(this.#parameters, this.#family);
    const packets = destinations.map((destination) =>
      framed(encodeDatagram({ ...fields, destination }, ttl, room), destination, mac),
    );
    return { priority, packets };
  }
}

function framed(datagram: Uint8Array, destination: IpAddress, mac: Uint8Array | undefined): Packet {
  if (mac === undefined) return { destination, bytes: datagram, frame: undefined };
  const frame = encodeMulticastFrame(mac, destination, datagram);
  return { destination, bytes: frame.subarray(ethernetHeaderLength), frame };
}

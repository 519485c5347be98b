/**
 * One running VRRP router: the state machine of one address family with its packets, timer and counters.
 * The instance that owns it decides when it starts and stops and does what its transitions ask for.
 */
import type { Link } from "../netlink/link.ts";
import { equalAddresses, type Family, formatAddress, type IpAddress } from "../wire/address.ts";
import type { Rejection } from "./advertisement.ts";
import { copyCounters, countRejection, type MutableCounters, newCounters } from "./counters.ts";
import { encodeDatagram } from "./datagram.ts";
import { newEntry } from "./deadlines.ts";
import { expectations, routerParameters } from "./derive.ts";
import type { Channel, Host } from "./host.ts";
import { Limiter } from "./limiter.ts";
import type { ChecksumForm, InstanceParameters, Instant } from "./parameters.ts";
import { type Cause, formatDuration, newActiveReason } from "./reasons.ts";
import { type Accepted, type Datagram, type Expectations, receive } from "./reception.ts";
import {
  type Action,
  deadline,
  type Event,
  initialState,
  type Peer,
  type RouterParameters,
  type State,
  step,
} from "./router.ts";
import type { ActiveRouter, RouterStatus } from "./status.ts";
import { activeDownInterval, skewTime } from "./timing.ts";

/** What a member asks of its instance. */
export interface MemberPorts {
  holdAddresses(): void;
  releaseAddresses(): void;
  announce(): void;
  /** A lesser router believes it is active. */
  lesserActive(peer: Peer): void;
  changed(member: Member, from: State["name"], cause: Cause): void;
  /** The timer ran out, but the members of the group become active together. */
  willing(): void;
  /** Already limited. */
  warn(message: string): void;
}

/** Timers later than this are counted; the figure an operator would want to know of. */
const lateAfter = 20;

export class Member {
  readonly family: Family;
  readonly counters: MutableCounters = newCounters();
  readonly #host: Host;
  readonly #ports: MemberPorts;
  readonly #timer = newEntry((now) => this.#expire(now));
  readonly #limiter = new Limiter(1000);
  #parameters: InstanceParameters;
  #router: RouterParameters;
  #expected: Expectations;
  #state: State = initialState;
  #source: IpAddress;
  #channel: Channel | undefined;
  /** Of the last valid advertisement that could be in either form; what `auto` answers with. */
  #heardForm: ChecksumForm | undefined;
  #heard: Peer | undefined;
  #lastError: Rejection | null = null;
  #newActiveReason: RouterStatus["new_active_reason"] = "not_active";
  #upSince: string | null = null;
  #datagrams:
    | { readonly priority: number; readonly to: readonly { bytes: Uint8Array; address: IpAddress }[] }
    | undefined;

  constructor(family: Family, parameters: InstanceParameters, host: Host, ports: MemberPorts) {
    this.family = family;
    this.#host = host;
    this.#ports = ports;
    this.#parameters = parameters;
    this.#source = new Uint8Array(family === 4 ? 4 : 16);
    this.#router = routerParameters(parameters, this.#source);
    this.#expected = expectations(parameters, family, this.#source);
  }

  get state(): State {
    return this.#state;
  }

  get isWilling(): boolean {
    return this.#state.name === "backup" && this.#state.willing;
  }

  /** Opens the sockets when there are none and starts the router. Throws when the kernel refuses. */
  start(link: Link, source: IpAddress): void {
    this.#channel ??= this.#host.openChannel(link, this.family, {
      vrid: this.#parameters.vrid,
      receive: (datagram, at) => this.#receive(datagram, at),
    });
    this.setSource(source);
    this.handle({ type: "startup" });
  }

  stop(why: string): void {
    this.handle({ type: "shutdown", why });
  }

  /** Sockets of an interface that is gone, or of a member that is no longer wanted. */
  closeChannel(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  setSource(source: IpAddress): void {
    if (equalAddresses(source, this.#source)) return;
    this.#source = source;
    this.#refresh();
  }

  /** Parameters other than the identity (interface, VRID, version) may change while it runs. */
  configure(parameters: InstanceParameters): void {
    this.#parameters = parameters;
    this.#refresh();
    this.handle({ type: "parameters" });
  }

  handle(event: Event): void {
    const now = this.#host.now();
    const from = this.#state;
    const { state, actions, cause } = step(this.#router, from, event, now);
    this.#state = state;
    this.#host.schedule(this.#timer, deadline(state));
    for (const action of actions) this.#perform(action);
    if (cause === undefined) return;
    if (state.name === "active") {
      this.counters.became_active++;
      this.#newActiveReason = newActiveReason(cause);
    }
    if (from.name === "active") this.counters.released_active++;
    if (from.name === "initialize") this.#upSince = this.#host.wallClock();
    if (state.name === "initialize") this.#upSince = null;
    this.#ports.changed(this, from.name, cause);
  }

  activeRouter(now: Instant): ActiveRouter | null {
    const state = this.#state;
    if (state.name === "active") {
      return { address: formatAddress(this.#source), priority: this.#router.priority, last_heard_ms: 0, self: true };
    }
    const peer = state.name === "backup" ? (state.active ?? state.lesser) : undefined;
    if (peer === undefined) return null;
    const age = Math.round((now - peer.at) * 10) / 10;
    return { address: formatAddress(peer.source), priority: peer.priority, last_heard_ms: age, self: false };
  }

  status(now: Instant): RouterStatus {
    const { version, priority, interval } = this.#router;
    const state = this.#state;
    const learned = state.name === "backup" ? state.activeAdverInterval : interval;
    const at = deadline(state);
    return {
      family: this.family === 4 ? "ipv4" : "ipv6",
      state: state.name,
      source: state.name === "initialize" ? null : formatAddress(this.#source),
      active_advert_int_ms: learned,
      active_down_interval_ms: activeDownInterval(version, priority, learned),
      skew_time_ms: skewTime(version, priority, learned),
      timer_ms: at === undefined ? null : Math.max(0, Math.round((at - now) * 1000) / 1000),
      checksum_form: this.#sendForm(),
      new_active_reason: this.#newActiveReason,
      last_error: this.#lastError,
      up_since: this.#upSince,
      counters: copyCounters(this.counters),
    };
  }

  /** Before a deadline is believed the queue is read: a late wake-up alone must not change the active router. */
  #expire(now: Instant): void {
    const due = deadline(this.#state);
    if (due === undefined) return;
    const lateness = now - due;
    if (lateness > lateAfter) this.counters.late_timers++;
    if (lateness > 2 * this.#router.interval) {
      this.#warn("stall", () => `this process was not run for ${formatDuration(lateness)}: its timers are late`);
      this.#host.stalled();
    }
    const mustRead = this.#state.name === "backup" || lateness > this.#router.interval / 2;
    if (mustRead) this.#channel?.drain();
    const name = this.#state.name;
    this.handle({ type: "timer" });
    if (name === "active" && lateness > this.#router.interval / 2) {
      this.#warn("late", () => `advertisement sent ${formatDuration(lateness)} late`);
    }
    if (this.isWilling) this.#ports.willing();
  }

  #perform(action: Action): void {
    switch (action.type) {
      case "send-advertisement":
        this.#advertise(action.priority);
        break;
      case "add-addresses":
        this.#ports.holdAddresses();
        break;
      case "remove-addresses":
        this.#ports.releaseAddresses();
        break;
      case "announce-addresses":
        this.#ports.announce();
        break;
      case "lesser-active":
        this.#ports.lesserActive(action.peer);
        break;
      case "own-packet":
        this.counters.own_packets++;
        this.#warn("own-packet", () => "our own advertisement came back: a loop, or a host with our address");
        break;
      default:
        action satisfies never;
    }
  }

  #receive(datagram: Datagram, at: Instant): void {
    const result = receive(datagram, this.#expected);
    if (typeof result === "string") {
      countRejection(this.counters.rejected, result);
      if (result === "interval_mismatch") this.counters.interval_errors++;
      if (result === "address_list") this.counters.address_list_errors++;
      this.#lastError = result;
      this.#warn(result, () => `refused advertisement from ${formatAddress(datagram.source)}: ${result}`);
      return;
    }
    this.#accept(result, datagram, at);
  }

  #accept(accepted: Accepted, datagram: Datagram, at: Instant): void {
    const { advertisement } = accepted;
    // The datagram is a view of the receive buffer; what is kept is copied, once a sender.
    const known = this.#heard;
    const source =
      known !== undefined && equalAddresses(known.source, datagram.source)
        ? known.source
        : new Uint8Array(datagram.source);
    this.#heard = { source, priority: advertisement.priority, at };
    this.counters.adverts_received++;
    if (advertisement.priority === 0) this.counters.priority_zero_received++;
    this.#learnForm(advertisement.checksumForm);
    if (accepted.intervalDiffers) {
      this.counters.interval_errors++;
      this.#warn("interval", () => {
        const theirs = formatDuration(advertisement.interval);
        return `${formatAddress(source)} advertises each ${theirs}, this node each ${formatDuration(this.#router.interval)}`;
      });
    }
    if (accepted.addressListDiffers) {
      this.counters.address_list_errors++;
      this.#warn("addresses", () => `${formatAddress(source)} advertises other addresses than this node`);
    }
    const { priority, interval } = advertisement;
    this.handle({ type: "advertisement", priority, interval, source, at });
  }

  /** One line a second and kind, whatever arrives. */
  #warn(kind: string, message: () => string): void {
    const suppressed = this.#limiter.allow(kind, this.#host.now());
    if (suppressed !== undefined)
      this.#ports.warn(suppressed > 0 ? `${message()} (and ${suppressed} more)` : message());
  }

  #learnForm(form: ChecksumForm): void {
    if (this.#router.version !== 3 || this.family !== 4) return;
    if (form !== this.#sendForm()) this.counters.other_checksum_form++;
    if (form === this.#heardForm) return;
    this.#heardForm = form;
    this.#datagrams = undefined;
  }

  #sendForm(): ChecksumForm {
    if (this.family === 6) return "pseudo_header";
    if (this.#router.version === 2) return "message";
    const { checksumSend } = this.#parameters;
    return checksumSend === "auto" ? (this.#heardForm ?? "message") : checksumSend;
  }

  #advertise(priority: number): void {
    if (this.#datagrams?.priority !== priority) this.#datagrams = { priority, to: this.#encode(priority) };
    let failed = 0;
    for (const { bytes, address } of this.#datagrams.to) {
      const result = this.#channel?.send(bytes, address) ?? -1;
      if (result < 0) failed = result;
    }
    if (failed < 0) {
      this.counters.send_errors++;
      this.#warn("send", () => `advertisement could not be sent: ${this.#host.errnoName(-failed)}`);
      return;
    }
    this.counters.adverts_sent++;
    if (priority === 0) this.counters.priority_zero_sent++;
  }

  #encode(priority: number): { bytes: Uint8Array; address: IpAddress }[] {
    const { vrid, version, unicastTtl, advertisementInterval } = this.#parameters;
    const { peers, addressBytes, group, password } = this.#expected;
    const destinations = peers.length === 0 ? [group] : peers.map(({ address }) => address);
    return destinations.map((address) => ({
      address,
      bytes: encodeDatagram(
        {
          version,
          family: this.family,
          vrid,
          priority,
          interval: advertisementInterval,
          addressBytes,
          checksumForm: this.#sendForm(),
          source: this.#source,
          destination: address,
          ...(password === undefined ? {} : { authentication: { type: 1, data: password } }),
        },
        peers.length === 0 ? 255 : unicastTtl,
      ),
    }));
  }

  #refresh(): void {
    this.#router = routerParameters(this.#parameters, this.#source);
    this.#expected = expectations(this.#parameters, this.family, this.#source);
    this.#datagrams = undefined;
  }
}

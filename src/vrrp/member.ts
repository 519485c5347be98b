/**
 * One running VRRP router: the state machine of one address family with its packets, timer and counters.
 * The instance that owns it decides when it starts and stops and does what its transitions ask for.
 */
import type { Link } from "../netlink/link.ts";
import { equalAddresses, type Family, formatAddress, type IpAddress } from "../wire/address.ts";
import { activeRouter } from "./active-router.ts";
import type { Rejection } from "./advertisement.ts";
import { Advertiser } from "./advertiser.ts";
import { type Authenticator, authenticatorFor } from "./authenticator.ts";
import { copyCounters, countRejection, type MutableCounters, newCounters } from "./counters.ts";
import { newEntry } from "./deadlines.ts";
import { expectations, type RunningParameters, routerParameters } from "./derive.ts";
import { noteDifferences } from "./differences.ts";
import type { Channel, Host } from "./host.ts";
import type { MemberPorts } from "./member-ports.ts";
import type { Instant } from "./parameters.ts";
import { describeRefusal, formatDuration, newActiveReason } from "./reasons.ts";
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
import { absence, type Look, nextLook, wakeAt } from "./vigil.ts";
import { Warnings } from "./warnings.ts";

/** Timers later than this are counted; the figure an operator would want to know of. */
const lateAfter = 20;
/** Looks without an advertisement: 2.5 intervals after the last one. */
const overdueAfter = 2;

export class Member {
  readonly family: Family;
  readonly counters: MutableCounters = newCounters();
  readonly #host: Host;
  readonly #ports: MemberPorts;
  readonly #timer = newEntry(
    (now) => this.#expire(now),
    (at) => this.#rehearse(at),
  );
  readonly #warnings: Warnings;
  readonly #advertiser: Advertiser;
  #parameters: RunningParameters;
  #router: RouterParameters;
  #expected: Expectations;
  #authenticator: Authenticator | undefined;
  #state: State = initialState;
  #look: Look | undefined;
  #source: IpAddress;
  #channel: Channel | undefined;
  #canSend = true;
  #heard: Peer | undefined;
  #lastError: Rejection | null = null;
  #newActiveReason: RouterStatus["new_active_reason"] = "not_active";
  #upSince: string | null = null;

  constructor(family: Family, parameters: RunningParameters, host: Host, ports: MemberPorts) {
    this.family = family;
    this.#host = host;
    this.#ports = ports;
    this.#warnings = new Warnings(() => host.now(), ports.warn);
    this.#parameters = parameters;
    this.#source = new Uint8Array(family === 4 ? 4 : 16);
    this.#router = routerParameters(parameters, family, this.#source);
    this.#expected = expectations(parameters, family, this.#source);
    this.#advertiser = new Advertiser(family, parameters, this.#expected, this.counters);
    this.#refresh();
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

  /** Priority 0 is attempted while the interface can still send. */
  stop(why: string, canSend: boolean): void {
    this.#canSend = canSend;
    this.handle({ type: "shutdown", why });
    this.#canSend = true;
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
  configure(parameters: RunningParameters): void {
    const before = this.#router;
    this.#parameters = parameters;
    this.#refresh();
    if (JSON.stringify(before) === JSON.stringify(this.#router)) return;
    const rise = this.#router.priority - before.priority;
    const priority = rise > 0 ? "raised" : "lowered";
    this.handle(rise === 0 ? { type: "parameters" } : { type: "parameters", priority });
  }

  handle(event: Event): void {
    const now = this.#host.now();
    if (event.type !== "stalled" && event.type !== "shutdown") this.#wake(now);
    const from = this.#state;
    const { state, actions, cause } = step(this.#router, from, event, now);
    this.#state = state;
    // A takeover must not be late; an advertisement that is part of a millisecond late harms nobody.
    this.#look = nextLook(state, this.#look, event.type === "timer", now);
    const at = wakeAt(state, this.#look);
    this.#timer.exact = state.name === "backup" && at === state.activeDownTimer;
    this.#host.schedule(this.#timer, at);
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
    return activeRouter(this.#state, { source: this.#source, priority: this.#router.priority }, now);
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
      willing: this.isWilling,
      checksum_form: this.#advertiser.form,
      new_active_reason: this.#newActiveReason,
      last_error: this.#lastError,
      up_since: this.#upSince,
      counters: copyCounters(this.counters),
    };
  }

  /** A takeover is about to be due: what has arrived is heard, and what will be needed is there and warm. */
  #rehearse(at: Instant): void {
    this.#channel?.drain();
    step(this.#router, this.#state, { type: "timer" }, at);
    this.#advertiser.prepare(this.#router.priority);
  }

  get authenticator(): Authenticator | undefined {
    return this.#authenticator;
  }

  /** Before a deadline is believed the queue is read: a late wake-up alone must not change the active router. */
  #expire(now: Instant): void {
    const due = wakeAt(this.#state, this.#look);
    if (due === undefined) return;
    const lateness = now - due;
    if (lateness > lateAfter) this.counters.late_timers++;
    const tooLate = lateness > this.#router.interval / 2;
    if (this.#state.name === "backup" || tooLate) this.#channel?.drain();
    const sends = this.#state.name === "active";
    const expired = (deadline(this.#state) ?? Number.POSITIVE_INFINITY) <= now;
    const wasWilling = this.isWilling;
    this.handle({ type: "timer" });
    if (sends && tooLate && this.#state.name === "active") {
      this.#warnings.of("late", () => `advertisement sent ${formatDuration(lateness)} late`);
    }
    if (expired && this.isWilling) this.#ports.willing(wasWilling);
    const state = this.#state;
    if (!expired && state.name === "backup" && this.#look?.missed === overdueAfter) {
      this.#ports.overdue(state.active, state.activeAdverInterval);
    }
  }

  /** Whatever happens first after this router was not run for a while: it has to know before it acts. */
  #wake(now: Instant): void {
    const away = absence(this.#router, this.#state, this.#look, now);
    if (away === undefined) return;
    if (away.stall) this.#host.stalled(away.late);
    if (away.mustListen) this.handle({ type: "stalled", silent: away.silent });
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
        this.#ports.lesserActive(action.peer, action.interval);
        break;
      case "own-packet":
        this.counters.own_packets++;
        this.#warnings.of("own-packet", () => "our own advertisement came back: a loop, or a host with our address");
        break;
      default:
        action satisfies never;
    }
  }

  #receive(datagram: Datagram, at: Instant): void {
    const result = receive(datagram, this.#expected, this.#authenticator?.arrived(at));
    if (typeof result === "string") {
      countRejection(this.counters.rejected, result);
      if (result === "interval_mismatch") this.counters.interval_errors++;
      if (result === "address_list") this.counters.address_list_errors++;
      this.#lastError = result;
      this.#warnings.of(
        result,
        () => this.#authenticator?.explain(result, datagram) ?? describeRefusal(result, datagram, this.#router),
      );
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
    this.#advertiser.heard(advertisement.checksumForm);
    noteDifferences(accepted, source, {
      family: this.family,
      interval: this.#router.interval,
      authenticator: this.#authenticator,
      counters: this.counters,
      warnings: this.#warnings,
    });
    const { priority, interval } = advertisement;
    this.handle({ type: "advertisement", priority, interval, source, at });
  }

  #advertise(priority: number): void {
    if (!this.#canSend) return;
    const errno = this.#advertiser.send(priority, this.#channel);
    if (errno !== 0) this.#warnings.of("send", () => `advertisement could not be sent: ${this.#host.errnoName(errno)}`);
  }

  #refresh(): void {
    this.#router = routerParameters(this.#parameters, this.family, this.#source);
    this.#expected = expectations(this.#parameters, this.family, this.#source);
    this.#authenticator = authenticatorFor(this.#parameters, this.#authenticator, this.#host);
    this.#advertiser.configure(this.#parameters, this.#expected, this.#authenticator);
  }
}

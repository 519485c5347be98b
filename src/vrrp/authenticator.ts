/**
 * The authentication of one router: signs what it sends, judges what it hears, and remembers for both what has been
 * used. Time stamps are the only use of the wall clock in VRRP; it can be set, and the two directions bear with that.
 */
import { formatAddress } from "../wire/address.ts";
import type { Rejection } from "./advertisement.ts";
import { describeUnauthentic } from "./auth-reasons.ts";
import { decodeTrailer, fingerprintOf, isSignedBy, isWellFormed, type Key, newKey, sign } from "./hmac-trailer.ts";
import type { Host } from "./host.ts";
import type { AuthHmacParameters, InstanceParameters, Instant, Milliseconds } from "./parameters.ts";
import type { Authentication, Datagram } from "./reception.ts";
import { ReplayGuard } from "./replay-guard.ts";
import { isAfter, type Sequence, secondsAhead, sequenceAt, successorOf } from "./sequence.ts";
import type { AuthenticationStatus } from "./status.ts";

type Clocks = Pick<Host, "now" | "wallClock" | "timeOfDay">;

/** Routers of a group that speak at once are few; one more than a group has is somebody with the key. */
const rememberedSenders = 16;

export class Authenticator implements Authentication {
  readonly #host: Clocks;
  readonly #guard = new ReplayGuard();
  #parameters: AuthHmacParameters;
  #keys: ReadonlyMap<number, Key>;
  #sent: Sequence | undefined;
  #arrival: Milliseconds = 0;
  #unsigned = 0;
  #lastRefusal: AuthenticationStatus["last_refusal"] = null;

  constructor(parameters: AuthHmacParameters, host: Clocks, peers: number) {
    this.#host = host;
    this.#parameters = parameters;
    this.#keys = keysOf(parameters);
    this.#guard.remember(Math.max(rememberedSenders, peers));
  }

  /** What has been used stays used: a change of keys opens no door for what was recorded. */
  configure(parameters: AuthHmacParameters, peers: number): void {
    this.#parameters = parameters;
    this.#keys = keysOf(parameters);
    this.#guard.remember(Math.max(rememberedSenders, peers));
  }

  get signs(): boolean {
    return this.#parameters.mode !== "receive_only";
  }

  get mode(): AuthHmacParameters["mode"] {
    return this.#parameters.mode;
  }

  /** Writes the trailer of one advertisement; `pdu` has room for it behind the message. */
  sign(pdu: Uint8Array, source: Uint8Array): void {
    const key = this.#keys.get(this.#parameters.activeKey);
    // The configuration is refused without it. Zeros in its place would be refused by every receiver.
    if (key === undefined) throw new Error(`auth_hmac has no key ${this.#parameters.activeKey} to sign with`);
    this.#sent = this.#next(sequenceAt(this.#host.timeOfDay()));
    sign(pdu, source, key, this.#sent);
  }

  /**
   * The clock, or one more than the last number when the clock stands still or was set back. A number too far ahead of
   * the clock would be stale for everybody whose clock is right: where stamps are compared with clocks, go on from ours.
   */
  #next(clock: Sequence): Sequence {
    const last = this.#sent;
    if (last === undefined || isAfter(clock, last)) return clock;
    const ahead = (last.seconds - clock.seconds) | 0;
    const stranded = this.#parameters.antiReplay === "time" && ahead * 1000 > this.#parameters.timeWindow;
    return stranded ? clock : successorOf(last);
  }

  /** The next packet to be judged came in then: what waited in the queue while the process stood still is not stale. */
  arrived(at: Instant): this {
    this.#arrival = this.#host.timeOfDay() - (this.#host.now() - at);
    return this;
  }

  judge(datagram: Datagram, bytes: Uint8Array | undefined): Rejection | undefined {
    if (bytes === undefined) {
      if (this.#parameters.mode === "enforce") return "hmac_missing";
      this.#unsigned++;
      return undefined;
    }
    const trailer = decodeTrailer(bytes);
    if (!isWellFormed(trailer)) return "hmac_malformed";
    const key = this.#keys.get(trailer.keyId);
    if (key === undefined) return "hmac_unknown_key";
    // Not authenticated yet, so it can only refuse: it spares the computation for old recordings.
    if (this.#isOutside(trailer.sequence)) return "hmac_stale";
    if (!isSignedBy(datagram.pdu, datagram.source, key)) return "hmac_invalid";
    // A mark outside the window orders nothing that the window lets pass. One that lies ahead was left by a clock, the
    // sender's and ours, that has been set back since: it would shut the sender out until the clock is there again.
    const fresh = this.#guard.admit(datagram.source, trailer.sequence, (mark) => this.#isOutside(mark));
    return fresh ? undefined : "hmac_replay";
  }

  #isOutside(sequence: Sequence): boolean {
    const { antiReplay, timeWindow } = this.#parameters;
    return antiReplay === "time" && Math.abs(secondsAhead(sequence, this.#arrival)) * 1000 > timeWindow;
  }

  /** Why the packet just judged was refused, and notes it for the status; undefined when it was for something else. */
  explain(name: Rejection, datagram: Datagram): string | undefined {
    const reason = describeUnauthentic(name, datagram, {
      ...this.#parameters,
      arrival: this.#arrival,
      mark: this.#guard.markOf(datagram.source),
    });
    if (reason === undefined) return undefined;
    const source = formatAddress(datagram.source);
    this.#lastRefusal = { at: this.#host.wallClock(), source, rejection: name, reason };
    return `refused advertisement from ${source}: ${name} (${reason})`;
  }

  status(): AuthenticationStatus {
    const { mode, activeKey, antiReplay, timeWindow } = this.#parameters;
    return {
      method: "hmac",
      mode,
      active_key: activeKey,
      keys: [...this.#keys.values()].map((key) => ({ id: key.id, fingerprint: fingerprintOf(key) })),
      anti_replay: antiReplay,
      time_window_ms: timeWindow,
      unsigned_accepted: this.#unsigned,
      last_refusal: this.#lastRefusal,
    };
  }
}

/** The one there is goes on with new parameters; without auth_hmac there is none. */
export function authenticatorFor(
  { authHmac, unicastPeers }: InstanceParameters,
  current: Authenticator | undefined,
  host: Clocks,
): Authenticator | undefined {
  if (authHmac === undefined) return undefined;
  if (current === undefined) return new Authenticator(authHmac, host, unicastPeers.length);
  current.configure(authHmac, unicastPeers.length);
  return current;
}

function keysOf({ keys }: AuthHmacParameters): ReadonlyMap<number, Key> {
  return new Map(keys.map(({ id, secret }) => [id, newKey(id, bytesOf(secret))]));
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

/** The sums over the families of an instance: they have the same keys. */
export function mergeAuthentication(all: readonly AuthenticationStatus[]): AuthenticationStatus | undefined {
  const [first] = all;
  if (first === undefined) return undefined;
  const refusals = all.map(({ last_refusal }) => last_refusal).filter((refusal) => refusal !== null);
  return {
    ...first,
    unsigned_accepted: all.reduce((sum, { unsigned_accepted }) => sum + unsigned_accepted, 0),
    last_refusal: refusals.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null,
  };
}

/** What an instance or a sync group tracks: the state of each object, whether it counts as failing, and what follows. */
import { flapped, heldUntil, penaltyAt, released, steady } from "./damping.ts";
import { newEntry } from "./deadlines.ts";
import type { Host } from "./host.ts";
import type { FlapDamping, Instant, Track } from "./parameters.ts";
import { priorityChange } from "./priority.ts";
import type { PriorityPart, TrackStatus } from "./status.ts";
import type { Verdict } from "./verdicts.ts";

interface Tracked {
  readonly track: Track;
  /** By the last result; before the first, what is assumed. */
  failing: boolean;
  up: boolean | null;
  reason: string;
  flapping: typeof steady;
}

export interface TrackerSettings {
  readonly track: readonly Track[];
  readonly flapDamping?: FlapDamping;
  /** The interface whose failures are told elsewhere: here it is only held when it flaps. */
  readonly ownInterface?: string;
}

export class Tracker {
  readonly #host: Host;
  readonly #release: ReturnType<typeof newEntry>;
  #tracked: readonly Tracked[] = [];
  #own: Tracked | undefined;
  #damping: FlapDamping | undefined;

  readonly changed: () => void;

  /** `changed` is called when a check says something else, or when a hold has ended. */
  constructor(host: Host, changed: () => void) {
    this.#host = host;
    this.changed = changed;
    this.#release = newEntry(changed);
  }

  /**
   * Objects that stay keep their state. A new one without a result counts as failing, so that nobody takes a role on
   * trust; except for a router that runs: it goes on as before until the first result.
   */
  configure({ track, flapDamping, ownInterface }: TrackerSettings, running: boolean): void {
    const known = new Map(this.#tracked.map((tracked) => [describeTrack(tracked.track), tracked]));
    this.#damping = flapDamping;
    this.#host.verdicts.remove(this);
    const one = (track: Track, before: Tracked | undefined): Tracked => ({
      failing: before === undefined || before.track.reverse !== track.reverse ? !running : before.failing,
      up: before?.up ?? null,
      reason: before?.reason ?? "has no result yet",
      flapping: (flapDamping && before?.flapping) ?? steady,
      track,
    });
    this.#tracked = track.map((entry) => one(entry, known.get(describeTrack(entry))));
    const own: Track | undefined =
      ownInterface === undefined || flapDamping === undefined
        ? undefined
        : { what: "interface", name: ownInterface, reverse: false };
    this.#own = own && one(own, this.#own?.track.name === own.name ? this.#own : undefined);
    this.#host.verdicts.add(this);
  }

  /** Takes note of the present state of everything. */
  look(): void {
    const now = this.#host.now();
    for (const tracked of this.#all()) this.#lookAt(tracked, now);
    const ends = this.#all().flatMap(({ flapping }) => this.#heldUntil(flapping) ?? []);
    this.#host.scheduleBackground(this.#release, ends.length === 0 ? undefined : Math.min(...ends));
  }

  stop(): void {
    this.#host.verdicts.remove(this);
    this.#host.scheduleBackground(this.#release, undefined);
  }

  /** Why it must not run, in sentences. */
  get faults(): readonly string[] {
    const failing = this.#tracked.filter((tracked) => tracked.track.priority === undefined && isFailing(tracked));
    const held = this.#own !== undefined && !this.#own.failing && this.#own.flapping.held ? [this.#own] : [];
    return [...failing, ...held].map(sentence);
  }

  get changes(): readonly PriorityPart[] {
    return this.#tracked.map((tracked) => ({
      name: describeTrack(tracked.track),
      change: priorityChange(tracked.track, isFailing(tracked)),
    }));
  }

  /** What the objects of these names say now. */
  explain(names: ReadonlySet<string>): readonly string[] {
    return this.#tracked.filter(({ track }) => names.has(describeTrack(track))).map(sentence);
  }

  get checks(): readonly string[] {
    return this.#tracked.filter(({ track }) => track.what === "check").map(({ track }) => track.name);
  }

  tracksInterface(isMeant: (name: string) => boolean): boolean {
    return this.#all().some(({ track }) => track.what === "interface" && isMeant(track.name));
  }

  status(): TrackStatus[] {
    const now = this.#host.now();
    return this.#all().map((tracked) => {
      const { track, up, flapping } = tracked;
      const until = this.#heldUntil(flapping);
      const penalty = this.#damping === undefined ? 0 : penaltyAt(this.#damping, flapping, now);
      return {
        name: describeTrack(track),
        up,
        failing: isFailing(tracked),
        reason: sentence(tracked),
        priority: track.priority ?? null,
        reverse: track.reverse,
        penalty: Math.round(penalty * 100) / 100,
        held_ms: until === undefined ? null : Math.max(0, Math.round(until - now)),
      };
    });
  }

  #all(): readonly Tracked[] {
    return this.#own === undefined ? this.#tracked : [...this.#tracked, this.#own];
  }

  #heldUntil(flapping: Tracked["flapping"]): Instant | undefined {
    return this.#damping && heldUntil(this.#damping, flapping);
  }

  #lookAt(tracked: Tracked, now: Instant): void {
    const { up, reason } = this.#observe(tracked.track);
    const damping = this.#damping;
    if (damping !== undefined) tracked.flapping = released(damping, tracked.flapping, now);
    // A check that starts anew has said nothing against its last result.
    if (up === null) return;
    const failing = up === tracked.track.reverse;
    if (damping !== undefined && failing && !tracked.failing)
      tracked.flapping = flapped(damping, tracked.flapping, now);
    tracked.failing = failing;
    tracked.up = up;
    tracked.reason = reason;
  }

  #observe({ what, name }: Track): Verdict {
    switch (what) {
      case "check":
        return this.#host.verdicts.get(name) ?? { up: null, reason: "" };
      case "interface": {
        const link = this.#host.linkByName(name);
        if (link === undefined) return { up: false, reason: "does not exist" };
        if (!link.up) return { up: false, reason: "is down" };
        return link.running ? { up: true, reason: "is up" } : { up: false, reason: "has no carrier" };
      }
    }
  }
}

/** "interface eth1", "check haproxy" */
export function describeTrack({ what, name }: Track): string {
  return `${what} ${name}`;
}

function isFailing({ failing, flapping }: Tracked): boolean {
  return failing || flapping.held;
}

/** "check haproxy failed: connection refused", "interface eth1 is down" */
function sentence({ track, up, failing, reason, flapping }: Tracked): string {
  const name = describeTrack(track);
  if (!failing && flapping.held) return `${name} flaps and is held as failing`;
  if (up === null) return `${name} has no result yet`;
  if (track.what === "interface") return `${name} ${reason}`;
  return `${name} ${up ? "is up" : "failed"}${reason === "" ? "" : `: ${reason}`}`;
}

/** How an instance stands: what it tracks, the faults that follow from it, and its effective priority. */
import type { Host } from "./host.ts";
import type { InstanceParameters } from "./parameters.ts";
import { differingParts, effectivePriority } from "./priority.ts";
import type { PriorityStatus, TrackStatus } from "./status.ts";
import { Tracker } from "./tracker.ts";

type Settings = Pick<InstanceParameters, "interface" | "priority" | "track" | "flapDamping">;

export class Standing {
  readonly #tracker: Tracker;
  /** What the sync group tracks. */
  #group: Tracker | undefined;
  #base: number;
  #priority: PriorityStatus;

  /** `changed` is called when a check says something else, or when something that flapped is believed again. */
  constructor(host: Host, settings: Settings, changed: () => void) {
    this.#tracker = new Tracker(host, changed);
    this.#base = settings.priority;
    this.configure(settings, false);
    this.#priority = effectivePriority(this.#base, this.#tracker.changes);
  }

  configure({ interface: ownInterface, priority, track, flapDamping }: Settings, running: boolean): void {
    this.#base = priority;
    this.#tracker.configure({ ownInterface, track, ...(flapDamping === undefined ? {} : { flapDamping }) }, running);
  }

  /** Takes note of the present state of everything; tells a priority that has changed by that. */
  look(): string | undefined {
    this.#tracker.look();
    const before = this.#priority;
    const ofGroup = this.#group?.changes.map(({ name, change }) => ({ name: `${name} (sync group)`, change })) ?? [];
    this.#priority = effectivePriority(this.#base, [...this.#tracker.changes, ...ofGroup]);
    if (before.effective === this.#priority.effective) return undefined;
    const names = differingParts(before, this.#priority);
    const groupNames = new Set([...names].map((name) => name.replace(/ \(sync group\)$/, "")));
    const why = [...this.#tracker.explain(names), ...(this.#group?.explain(groupNames) ?? [])].join("; ");
    return `priority ${before.effective} → ${this.#priority.effective}: ${why}`;
  }

  set group(tracker: Tracker | undefined) {
    this.#group = tracker;
  }

  stop(): void {
    this.#tracker.stop();
  }

  get priority(): PriorityStatus {
    return this.#priority;
  }

  get faults(): readonly string[] {
    return this.#tracker.faults;
  }

  tracksInterface(isMeant: (name: string) => boolean): boolean {
    return this.#tracker.tracksInterface(isMeant);
  }

  status(): TrackStatus[] {
    return this.#tracker.status();
  }
}

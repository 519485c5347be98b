/**
 * Events of the VRRP process to what is worth telling: one word for each change, and never the same one twice in a row
 * for the same instance. Pure.
 */
import type { StateName, VrrpEvent } from "../vrrp/status.ts";
import type { News, NotifyState } from "./notify-news.ts";

interface Known {
  told: NotifyState | undefined;
  state: StateName;
  priority: number;
}

export class NotifySubjects {
  readonly #known = new Map<string, Known>();

  /** What the event is to those who want to know; undefined when it is nothing to them. `priority`: the configured one. */
  take(event: VrrpEvent, priority: number): News | undefined {
    if (event.type !== "warning" && event.type !== "transition") return undefined;
    const { instance, at } = event;
    if (event.type === "warning") {
      if (event.fault === undefined) return undefined;
      return this.#tell(instance, "fault", {
        from: "initialize",
        to: "initialize",
        reason: event.fault,
        priority,
        time: at,
      });
    }
    const { from, to, reason } = event;
    const state = to === "initialize" ? (event.ended === true ? "stop" : "fault") : to;
    return this.#tell(instance, state, { from, to, reason, priority: event.priority, time: at });
  }

  /** The word of the end, for one that said it not itself: it did not run, or its process is gone. */
  end(instance: string, reason: string, time: string): News | undefined {
    const known = this.#known.get(instance);
    if (known?.told === undefined) return undefined;
    const { state: from, priority } = known;
    return this.#tell(instance, "stop", { from, to: "initialize", reason, priority, time });
  }

  /** Whether an event of its end is still to be expected. */
  runs(instance: string): boolean {
    const state = this.#known.get(instance)?.state;
    return state !== undefined && state !== "initialize";
  }

  forget(instance: string): void {
    this.#known.delete(instance);
  }

  get names(): readonly string[] {
    return [...this.#known.keys()];
  }

  #tell(name: string, state: NotifyState, news: Omit<News, "kind" | "name" | "state">): News | undefined {
    const known = this.#known.get(name);
    this.#known.set(name, { told: state, state: news.to, priority: news.priority });
    return known?.told === state ? undefined : { kind: "instance", name, state, ...news };
  }
}

/**
 * Events of the VRRP process to what is worth telling: one word for each change, and never the same one twice in a row
 * for the same instance or group. Pure.
 */
import type { InstanceEvent, StateName, TransitionStatus } from "../vrrp/status.ts";
import type { News } from "./notify-news.ts";

export type SubjectKey = Pick<News, "kind" | "name">;

interface Known {
  told: News["state"];
  state: StateName;
  priority: number;
}

export class NotifySubjects {
  readonly #known = new Map<string, Known>();

  /** What the event is to those who want to know; undefined when it is nothing to them. `priority`: the configured one. */
  instance(event: InstanceEvent, priority: number): News | undefined {
    const { instance: name, at: time } = event;
    const subject = { kind: "instance", name } as const;
    if (event.type === "warning") {
      if (event.fault === undefined) return undefined;
      return this.#tell(subject, "fault", {
        from: "initialize",
        to: "initialize",
        reason: event.fault,
        priority,
        time,
      });
    }
    if (event.type !== "transition") return undefined;
    const { from, to, reason } = event;
    const state = to === "initialize" ? (event.ended === true ? "stop" : "fault") : to;
    return this.#tell(subject, state, { from, to, reason, priority: event.priority, time });
  }

  /** A group that loses the role because a member ends has ended with it. */
  group(name: string, { from, to, reason, at }: TransitionStatus, members: readonly string[]): News | undefined {
    const ended = members.some((member) => this.#of({ kind: "instance", name: member })?.told === "stop");
    const state = to === "initialize" ? (ended ? "stop" : "fault") : to;
    return this.#tell({ kind: "group", name }, state, { from, to, reason, priority: 0, time: at });
  }

  /** A group that never was anything cannot be so because of a member: no transition tells that. */
  groupBlocked(name: string, member: News): News | undefined {
    if (member.state !== "fault" || this.#of({ kind: "group", name }) !== undefined) return undefined;
    const reason = `${member.name}: ${member.reason}`;
    const { from, to, time } = member;
    return this.#tell({ kind: "group", name }, "fault", { from, to, reason, priority: 0, time });
  }

  /** The word of the end, for one that said it not itself: it did not run, or its process is gone. */
  end(subject: SubjectKey, reason: string, time: string): News | undefined {
    const known = this.#of(subject);
    if (known === undefined) return undefined;
    const { state: from, priority } = known;
    return this.#tell(subject, "stop", { from, to: "initialize", reason, priority, time });
  }

  /** Whether an event of its end is still to be expected. */
  runs(subject: SubjectKey): boolean {
    const state = this.#of(subject)?.state;
    return state !== undefined && state !== "initialize";
  }

  forget(subject: SubjectKey): void {
    this.#known.delete(keyOf(subject));
  }

  #of(subject: SubjectKey): Known | undefined {
    return this.#known.get(keyOf(subject));
  }

  #tell(subject: SubjectKey, state: News["state"], news: Omit<News, "kind" | "name" | "state">): News | undefined {
    const before = this.#of(subject)?.told;
    this.#known.set(keyOf(subject), { told: state, state: news.to, priority: news.priority });
    return before === state ? undefined : { ...subject, state, ...news };
  }
}

export function keyOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind} ${name}`;
}

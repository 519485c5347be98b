/**
 * One transition as it is told to others: to scripts in keepalived's words and arguments, to FIFOs in keepalived's lines,
 * and to both kinds of readers who want more, as environment and as JSON. Pure.
 */
import type { StateName } from "../vrrp/status.ts";

/** In the words of the configuration: notify_active, notify_backup, notify_fault, notify_stop. */
export type NotifyState = "active" | "backup" | "fault" | "stop" | LvsState;

/** Of virtual servers and of servers: notify_up, quorum_down. */
export type LvsState = "up" | "down";

export interface News {
  readonly kind: "instance" | "group";
  readonly name: string;
  readonly state: Exclude<NotifyState, LvsState>;
  readonly from: StateName;
  readonly to: StateName;
  readonly reason: string;
  /** The effective one; 0 for a group, as in keepalived. */
  readonly priority: number;
  /** ISO 8601 */
  readonly time: string;
}

/** What the reader would have to look up. */
export interface Background {
  readonly routerId: string;
  readonly instance?: {
    readonly interface: string;
    readonly vrid: number;
    /** With prefix length. */
    readonly addresses: readonly string[];
  };
  /** Of a group: names of instances. */
  readonly members?: readonly string[];
}

const keepalivedStates = {
  active: "MASTER",
  backup: "BACKUP",
  fault: "FAULT",
  stop: "STOP",
  up: "UP",
  down: "DOWN",
} as const;

export function keepalivedWord(state: NotifyState): string {
  return keepalivedStates[state];
}

/** What keepalived puts behind the configured arguments of `notify`. */
export function keepalivedArguments({ kind, name, state, priority }: News): readonly string[] {
  return [kind === "instance" ? "INSTANCE" : "GROUP", name, keepalivedWord(state), `${priority}`];
}

/** `INSTANCE "web" MASTER 150` */
export function fifoLine({ kind, name, state, priority }: News): string {
  return `${kind === "instance" ? "INSTANCE" : "GROUP"} "${name}" ${keepalivedWord(state)} ${priority}\n`;
}

/** The same under the same names in JSON and, in capitals and with VIPRD_ in front, in the environment. */
export function newsDocument(news: News, background: Background): Readonly<Record<string, unknown>> {
  const { kind, name, state, from, to, reason, priority, time } = news;
  const { routerId, instance, members } = background;
  return {
    version: 1,
    router_id: routerId,
    kind,
    name,
    state,
    from,
    to,
    reason,
    priority,
    time,
    ...instance,
    ...(members === undefined ? {} : { members }),
  };
}

export function newsEnvironment(document: Readonly<Record<string, unknown>>): Record<string, string> {
  const variables = Object.entries(document)
    .filter(([name]) => name !== "version")
    .map(([name, value]) => [`VIPRD_${name.toUpperCase()}`, Array.isArray(value) ? value.join(" ") : `${value}`]);
  return Object.fromEntries(variables);
}

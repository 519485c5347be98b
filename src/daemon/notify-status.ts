/** What `viprd status` tells about who was told of transitions. */
import type { CommandKey } from "../config/notify.ts";
import type { NotifyState } from "./notify-news.ts";

export interface NotifyStatus {
  /** Instances and groups that have scripts; virtual servers and servers whose scripts were run. */
  readonly subjects: readonly NotifySubjectStatus[];
  readonly fifos: readonly FifoStatus[];
  readonly webhooks: readonly WebhookStatus[];
}

export interface NotifySubjectStatus {
  readonly kind: "instance" | "group" | "virtual_server" | "real_server";
  readonly name: string;
  /** What the scripts were told last; null when nothing yet. */
  readonly told: NotifyState | null;
  /** What runs now. */
  readonly running: { readonly key: CommandKey; readonly state: NotifyState; readonly since: string } | null;
  /** What will be told next. */
  readonly waiting: NotifyState | null;
  /** Transitions that were not told, as a newer one overtook them. */
  readonly skipped: number;
  readonly runs: number;
  readonly failures: number;
  /** The last run of each script. */
  readonly last: readonly ScriptRun[];
}

export interface ScriptRun {
  readonly key: CommandKey;
  readonly command: string;
  readonly state: NotifyState;
  /** ISO 8601 time of its start. */
  readonly at: string;
  readonly ok: boolean;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly timed_out: boolean;
  readonly duration_ms: number;
  /** "exited with code 1" */
  readonly message: string;
  /** The end of what it printed. */
  readonly output: string;
}

export interface FifoStatus {
  readonly path: string;
  readonly lines: number;
  /** Lines that nobody read in time. The newest of each instance and group waits for room, and is not among them. */
  readonly lost: number;
  readonly waiting: number;
  /** Why nothing can be written; null when it can. */
  readonly problem: string | null;
}

export interface WebhookStatus {
  /** Without its path, which may be secret. */
  readonly url: string;
  readonly sent: number;
  /** Given up after the last attempt. */
  readonly failed: number;
  /** Not even tried, as too many waited. */
  readonly dropped: number;
  readonly waiting: number;
  /** Of the last attempt; null when there was none. */
  readonly last: { readonly at: string; readonly ok: boolean; readonly message: string } | null;
}

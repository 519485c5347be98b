/** Who is told about transitions, checked: commands as words, webhooks with their defaults, each with its place in the file. */
import { type Argv, formatCommand } from "../scripts/command.ts";
import { resolveCommand } from "./command.ts";
import { formatDuration } from "./duration.ts";
import type { NotifyValues } from "./notify-schema.ts";
import { formatPath, type Path, type Place } from "./problem.ts";
import type { Loose } from "./read.ts";
import type { Report } from "./report.ts";

export const commandKeys = ["notify", "notify_active", "notify_backup", "notify_fault", "notify_stop"] as const;
export const lvsCommandKeys = ["quorum_up", "quorum_down", "notify_up", "notify_down"] as const;
export type CommandKey = (typeof commandKeys)[number] | (typeof lvsCommandKeys)[number];

export interface CommandParameters {
  readonly argv: Argv;
  /** `user` or `user:group`; without it the script user of the whole configuration. */
  readonly user?: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly place: Place & { readonly path: string };
}

export interface WebhookParameters {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout: number;
  readonly retries: number;
}

/** An instance or a sync group that somebody is told about. */
export interface NotifySubject {
  readonly kind: "instance" | "group";
  readonly name: string;
  readonly commands: Readonly<Partial<Record<(typeof commandKeys)[number], CommandParameters>>>;
  readonly webhooks: readonly WebhookParameters[];
}

export interface FifoParameters {
  readonly path: string;
  /** What is written to it: of instances and groups, of virtual servers and their servers, or of all of them. */
  readonly of: "all" | "vrrp" | "lvs";
}

export interface NotifyConfig {
  /** In file order; only those with something to run or to post. */
  readonly subjects: readonly NotifySubject[];
  readonly fifos: readonly FifoParameters[];
}

/** Undefined when nobody is told. */
export function resolveSubject(
  kind: NotifySubject["kind"],
  name: string,
  values: Loose<NotifyValues>,
  report: Report,
): NotifySubject | undefined {
  const path: Path = [kind === "instance" ? "vrrp_instance" : "vrrp_sync_group", name];
  const commands: Partial<Record<(typeof commandKeys)[number], CommandParameters>> = {};
  for (const key of commandKeys) {
    const command = resolveTold(values[key], [...path, key], report);
    if (command !== undefined) commands[key] = command;
  }
  const webhooks = resolveWebhooks(values.notify_webhook);
  if (Object.keys(commands).length === 0 && webhooks.length === 0) return undefined;
  return { kind, name, commands, webhooks };
}

/** Undefined without one, and for one that is wrong and reported. */
export function resolveTold(
  value: Loose<NotifyValues>["notify"],
  path: Path,
  report: Report,
): CommandParameters | undefined {
  if (value === undefined) return undefined;
  const block = isBlock(value) ? value : undefined;
  const at = block === undefined ? path : [...path, "command"];
  const argv = resolveCommand(isBlock(value) ? value.command : value, at, report);
  if (argv === undefined) return undefined;
  const place = { ...report.placeOf(at), path: formatPath(at) };
  const user = block?.user;
  return { argv, ...(user === undefined ? {} : { user }), timeout: block?.timeout ?? 30_000, place };
}

type Told = NonNullable<Loose<NotifyValues>["notify"]>;

function isBlock(value: Told): value is Exclude<Told, string | readonly unknown[]> {
  return typeof value === "object" && !Array.isArray(value);
}

export function resolveWebhooks(value: Loose<NotifyValues>["notify_webhook"]): WebhookParameters[] {
  if (value === undefined) return [];
  const list = "url" in value || !Array.isArray(value) ? [value] : value;
  const found: WebhookParameters[] = [];
  for (const webhook of list as readonly (Loose<WebhookParameters> | undefined)[]) {
    if (webhook?.url === undefined) continue;
    const headers = Object.entries(webhook.headers ?? {}).flatMap(([name, text]) =>
      text === undefined ? [] : [[name, text] as const],
    );
    found.push({
      url: webhook.url,
      headers: Object.fromEntries(headers),
      timeout: webhook.timeout ?? 10_000,
      retries: webhook.retries ?? 5,
    });
  }
  return found;
}

/** "web", "group edge", "fifo": what differs, wherever in the file it stands. */
export function differingNotify(from: NotifyConfig | undefined, to: NotifyConfig | undefined): string[] {
  const before = byName(from);
  const after = byName(to);
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const differing = names.filter((name) => before.get(name) !== after.get(name));
  const fifos = JSON.stringify(from?.fifos ?? []) === JSON.stringify(to?.fifos ?? []) ? [] : ["fifo"];
  return [...differing, ...fifos];
}

function byName(config: NotifyConfig | undefined): Map<string, string> {
  const subjects = config?.subjects ?? [];
  return new Map(
    subjects.map((subject) => [
      subject.kind === "instance" ? subject.name : `group ${subject.name}`,
      JSON.stringify(subject, (key, value: unknown) => (key === "place" ? undefined : value)),
    ]),
  );
}

/** In the words of the file. With a mask nothing of a URL that may be secret is shown, and no header. */
export function describeNotify(subject: NotifySubject | undefined, mask: string | undefined): Record<string, unknown> {
  if (subject === undefined) return {};
  const described: Record<string, unknown> = {};
  for (const key of commandKeys) {
    const command = subject.commands[key];
    if (command === undefined) continue;
    described[key] = describeCommand(command);
  }
  if (subject.webhooks.length > 0) described.notify_webhook = describeWebhooks(subject.webhooks, mask);
  return described;
}

export function describeWebhooks(webhooks: readonly WebhookParameters[], mask: string | undefined): unknown {
  return webhooks.map(({ url, headers, timeout, retries }) => ({
    url: mask === undefined ? url : maskUrl(url, mask),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, mask ?? value])),
    timeout: formatDuration(timeout),
    retries,
  }));
}

export function describeCommand({ argv, user, timeout }: CommandParameters): Readonly<Record<string, unknown>> {
  return {
    command: formatCommand(argv),
    ...(user === undefined ? {} : { user }),
    timeout: formatDuration(timeout),
  };
}

/** The path of a webhook is often all that protects it. */
export function maskUrl(url: string, mask: string): string {
  const { origin, pathname, search } = new URL(url);
  return pathname === "/" && search === "" ? origin : `${origin}/${mask}`;
}

/** The keys that say who is told about transitions: the same in an instance and in a sync group. */
import { z } from "zod";
import { command, scriptUser } from "./command.ts";
import { required, standard, unset } from "./keys.ts";
import { duration, secret, text, whole } from "./kinds.ts";

const second = 1000;
const hour = 3600 * second;

export const commandBlock = z.strictObject({
  command: required(command(), "The program and its arguments. Nothing is expanded: no shell runs."),
  user: unset(scriptUser, "global.script_user", "User, or user:group, that it runs as."),
  timeout: standard(
    duration(100, hour),
    "30s",
    "How long it may run. Then it and what it has started get SIGTERM, and SIGKILL two seconds later.",
  ),
});

export const told = z
  .union([command(), commandBlock])
  .meta({ "x-bounds": "a command as a text, as a list of words, or as a map, see below" });

const url = secret("an http or https URL", (value) => {
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) return ", as in https://host/path";
  return parsed.username === "" && parsed.password === ""
    ? undefined
    : " without user and password: write them as an Authorization header";
});

const headerName = text("the name of a header", (value) => {
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(value)) return "";
  return /^(content-length|content-type|transfer-encoding|connection|host|expect|upgrade)$/i.test(value)
    ? "viprd sets this one itself"
    : undefined;
});
const headerValue = secret("the value of a header", (value) =>
  /^[\t\x20-\x7e\u0080-\u00ff]*$/.test(value) ? undefined : " in characters that a header can have",
);

export const webhookBlock = z.strictObject({
  url: required(url, "Where the JSON document of the transition is posted to."),
  headers: unset(
    z.record(headerName, headerValue).meta({ "x-bounds": "a map of names and values" }),
    "none",
    "Headers sent with it, for instance Authorization.",
  ),
  timeout: standard(duration(100, 60 * second), "10s", "How long one attempt may take, the answer included."),
  retries: standard(
    whole(0, 100),
    5,
    "Further attempts after one that failed, 1s, 2s, 4s … up to 60s apart. A refusal (400 to 499, but 408 and 429) is final.",
  ),
});
const webhook = z.union([url.transform((value) => ({ url: value })), webhookBlock]);
export const webhooks = z
  .union([url.transform((value) => ({ url: value })), webhookBlock, z.array(webhook)])
  .meta({ "x-bounds": "an http or https URL, a map, see below, or a list of them" });

export const notifyKeys = {
  notify: unset(
    told,
    "none",
    "Run at every transition, with INSTANCE or GROUP, the name, MASTER, BACKUP, FAULT or STOP, and the priority as further arguments.",
  ),
  notify_active: unset(told, "none", "Run on becoming active, before notify. keepalived's notify_master."),
  notify_backup: unset(told, "none", "Run on becoming backup, before notify."),
  notify_fault: unset(told, "none", "Run when it cannot take part any more, before notify."),
  notify_stop: unset(told, "none", "Run when it is stopped or removed, before notify."),
  notify_webhook: unset(webhooks, "none", "Told of every transition by an HTTP POST of a JSON document."),
};

export const fifoPath = text("the path of a FIFO, beginning with /", (value) =>
  /^\/[^\0]*[^/\0]$/.test(value) ? undefined : "",
);

const notifyBlock = z.strictObject(notifyKeys);
export type NotifyValues = z.output<typeof notifyBlock>;

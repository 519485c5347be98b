/** Who was told of transitions, for a person: what went well in a line, what did not with the last words of the script. Pure. */
import type {
  FifoStatus,
  NotifyStatus,
  NotifySubjectStatus,
  ScriptRun,
  WebhookStatus,
} from "../daemon/notify-status.ts";
import { type Paint, padTo, widthOf } from "./paint.ts";
import { formatDuration } from "./render-time.ts";

/** Of more subjects than this only those with something to complain about are shown. */
const inFull = 4;

export function renderNotify(notify: NotifyStatus, now: Date, paint: Paint): string[] {
  const { subjects, fifos, webhooks } = notify;
  const shown = subjects.length <= inFull ? subjects : subjects.filter(isTroubled);
  const rows = [
    ...shown.flatMap((subject) => subjectRows(subject, now, paint)),
    ...fifos.map((fifo): Row => ["fifo", fifoText(fifo, paint)]),
    ...webhooks.map((webhook): Row => ["webhook", webhookText(webhook, paint)]),
  ];
  if (subjects.length > shown.length) rows.unshift(["", `${subjects.length - shown.length} without trouble`]);
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(([label]) => widthOf(label)));
  return [paint("bold", "notify"), ...rows.map(([label, text]) => `  ${paint("dim", padTo(label, width))}  ${text}`)];
}

type Row = readonly [string, string];

function isTroubled({ last, running, waiting }: NotifySubjectStatus): boolean {
  return last.some(({ ok }) => !ok) || (running !== null && waiting !== null);
}

function subjectRows(subject: NotifySubjectStatus, now: Date, paint: Paint): Row[] {
  const { kind, name, told, running, waiting, skipped, runs, failures, last } = subject;
  const label = kind === "instance" || kind === "real_server" ? name : `${kind.replace("_", " ")} ${name}`;
  const facts = [
    told === null ? "nothing told yet" : `told ${told}`,
    ...(running === null ? [] : [`${running.key} runs for ${age(running.since, now)}`]),
    ...(waiting === null ? [] : [`${waiting} waits`]),
    `${runs} ${runs === 1 ? "run" : "runs"}`,
    ...(failures === 0 ? [] : [`${failures} failed`]),
    ...(skipped === 0 ? [] : [`${skipped} overtaken`]),
  ];
  return [
    [label, facts.join(", ")],
    ...last.filter(({ ok }) => !ok).map((run): Row => ["", paint("red", failureText(run, now))]),
  ];
}

function failureText({ key, state, at, command, message, output }: ScriptRun, now: Date): string {
  const said = output.split("\n").at(-1) ?? "";
  return `${key} (${state}), ${age(at, now)} ago: ${command} ${message}${said === "" ? "" : `: ${said}`}`;
}

function fifoText({ path, lines, lost, waiting, problem }: FifoStatus, paint: Paint): string {
  const facts = [
    `${lines} lines`,
    ...(lost === 0 ? [] : [`${lost} lost`]),
    ...(waiting === 0 ? [] : [`${waiting} wait`]),
  ];
  const text = `${path}: ${facts.join(", ")}`;
  return problem === null ? text : paint("red", `${text}; ${problem}`);
}

function webhookText({ url, sent, failed, dropped, waiting, last }: WebhookStatus, paint: Paint): string {
  const facts = [
    `${sent} sent`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(dropped === 0 ? [] : [`${dropped} dropped`]),
    ...(waiting === 0 ? [] : [`${waiting} wait`]),
  ];
  const text = `${url}: ${facts.join(", ")}`;
  return last === null || last.ok ? text : paint("red", `${text}; ${last.message}`);
}

function age(at: string, now: Date): string {
  return formatDuration(now.getTime() - Date.parse(at));
}

/** Runs the notify scripts: in order, one at a time for each instance and group, each as its user and within its time. */
import { setMaxListeners } from "node:events";
import { type CommandKey, type CommandParameters, commandKeys, type NotifySubject } from "../config/notify.ts";
import { formatPlace } from "../config/problem.ts";
import { formatCommand } from "../scripts/command.ts";
import { permit, runsAsRootByDefault } from "../scripts/permit.ts";
import { describeResult, notRun, type RunResult } from "../scripts/result.ts";
import { Runner } from "../scripts/run.ts";
import type { Log } from "./log.ts";
import {
  type Background,
  keepalivedArguments,
  keepalivedWord,
  type News,
  type NotifyState,
  newsDocument,
  newsEnvironment,
} from "./notify-news.ts";
import { NotifyQueue } from "./notify-queue.ts";
import type { NotifySubjectStatus, ScriptRun } from "./notify-status.ts";
import { keyOf } from "./notify-subjects.ts";

export interface ScriptRights {
  readonly user: string | undefined;
  readonly security: boolean;
}

/** Told as it was configured when it happened: a subject may be gone from the configuration when its turn comes. */
interface Job {
  readonly news: News;
  readonly subject: NotifySubject;
  readonly background: Background;
  readonly rights: ScriptRights;
}

interface Record {
  told: NotifyState | undefined;
  running: NotifySubjectStatus["running"];
  skipped: number;
  runs: number;
  failures: number;
  readonly last: Map<CommandKey, ScriptRun>;
}

/** Starting a process stops the supervisor for a moment: a thousand instances do not start theirs together. */
const mostAtOnce = 16;
/** SIGKILL follows this soon when the daemon stops. */
const graceAtStop = 500;

export class NotifyScripts {
  readonly #log: Log;
  readonly #runner = new Runner();
  readonly #queue = new NotifyQueue<Job>(mostAtOnce);
  readonly #records = new Map<string, Record>();
  #subjects: readonly NotifySubject[] = [];
  /** Ends what was told before the end. */
  readonly #impatience = new AbortController();
  #onIdle: (() => void) | undefined;

  constructor(log: Log) {
    this.#log = log;
    // One listener for each script that runs.
    setMaxListeners(0, this.#impatience.signal);
  }

  /** What could not be run as things are, each with its place in the file. Nothing is refused: failing over goes before telling. */
  configure(subjects: readonly NotifySubject[], rights: ScriptRights): string[] {
    this.#subjects = subjects;
    const names = new Set(subjects.map(keyOf));
    for (const key of this.#records.keys()) if (!names.has(key)) this.#records.delete(key);
    return warningsAbout(subjects, rights);
  }

  tell(news: News, subject: NotifySubject, background: Background, rights: ScriptRights): void {
    const key = keyOf(subject);
    const isTold = commandsFor(subject, news.state).length > 0;
    const overtaken = isTold ? this.#queue.push(key, { news, subject, background, rights }) : this.#queue.drop(key);
    if (overtaken !== undefined) {
      this.#recordOf(subject).skipped += 1;
      this.#log.warn(`notify is behind: ${keepalivedWord(overtaken.news.state)} is not told any more`, about(subject));
    }
    this.#begin();
  }

  /** Lets what waits be told, and ends what takes longer: first what is old, then all. */
  async stop(limit: number): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    // What was told before and still runs must not keep the word of the end from being told.
    const impatient = setTimeout(() => this.#impatience.abort(), limit / 2);
    const timer = setTimeout(() => this.#onIdle?.(), limit);
    if (this.#queue.idle) this.#onIdle?.();
    await idle;
    clearTimeout(impatient);
    clearTimeout(timer);
    const untold = this.#queue.subjectsWaiting;
    if (untold.length > 0) this.#log.error(`no time was left to tell the end of ${untold.length} instances and groups`);
    await this.#runner.close(graceAtStop);
  }

  status(): NotifySubjectStatus[] {
    return this.#subjects
      .filter(({ commands }) => Object.keys(commands).length > 0)
      .map((subject) => {
        const { told, running, skipped, runs, failures, last } = this.#recordOf(subject);
        return {
          kind: subject.kind,
          name: subject.name,
          told: told ?? null,
          running,
          waiting: this.#queue.waiting(keyOf(subject))?.news.state ?? null,
          skipped,
          runs,
          failures,
          last: commandKeys.flatMap((key) => last.get(key) ?? []),
        };
      });
  }

  #begin(): void {
    for (let next = this.#queue.next(); next !== undefined; next = this.#queue.next()) {
      const { subject, news: job } = next;
      void this.#work(job).finally(() => {
        this.#queue.done(subject);
        this.#begin();
        if (this.#queue.idle) this.#onIdle?.();
      });
    }
  }

  /** The specific one first, then the general one, as keepalived. */
  async #work(job: Job): Promise<void> {
    const { news, subject } = job;
    const record = this.#recordOf(subject);
    record.told = news.state;
    for (const [key, command] of commandsFor(subject, news.state)) {
      const at = new Date().toISOString();
      record.running = { key, state: news.state, since: at };
      const result = await this.#run(key, command, job);
      record.running = null;
      record.runs += 1;
      const message = describeResult(result, command.timeout);
      record.last.set(key, runOf(key, command, news.state, at, result, message));
      if (!result.ok) record.failures += 1;
      this.#report(key, command, news, result, message);
    }
  }

  async #run(key: CommandKey, command: CommandParameters, { news, background, rights }: Job): Promise<RunResult> {
    const account = permit(command.argv, { user: command.user ?? rights.user, security: rights.security });
    if (typeof account === "string") return notRun(account);
    const document = newsDocument(news, background);
    const [program, ...rest] = command.argv;
    return await this.#runner.run({
      argv: [program, ...rest, ...(key === "notify" ? keepalivedArguments(news) : [])],
      account,
      environment: newsEnvironment(document),
      input: `${JSON.stringify(document)}\n`,
      timeout: command.timeout,
      ...(news.state === "stop" ? {} : { signal: this.#impatience.signal }),
    });
  }

  #report(key: CommandKey, command: CommandParameters, news: News, result: RunResult, message: string): void {
    const text = `${key} (${keepalivedWord(news.state)}): ${formatCommand(command.argv)} ${message}`;
    const output = result.output === "" ? {} : { output: result.output };
    if (result.ok) this.#log.debug(text, { ...about(news), ...output });
    else this.#log.error(text, { ...about(news), ...output });
  }

  #recordOf(subject: NotifySubject): Record {
    const key = keyOf(subject);
    const known = this.#records.get(key);
    if (known !== undefined) return known;
    const fresh = { told: undefined, running: null, skipped: 0, runs: 0, failures: 0, last: new Map() };
    this.#records.set(key, fresh);
    return fresh;
  }
}

function about({ kind, name }: Pick<NotifySubject, "kind" | "name">): { readonly [kind: string]: string } {
  return { [kind]: name };
}

function commandsFor({ commands }: NotifySubject, state: NotifyState): [CommandKey, CommandParameters][] {
  const keys: readonly CommandKey[] = [`notify_${state}`, "notify"];
  return keys.flatMap((key) => {
    const command = commands[key];
    return command === undefined ? [] : [[key, command]];
  });
}

function runOf(
  key: CommandKey,
  command: CommandParameters,
  state: NotifyState,
  at: string,
  result: RunResult,
  message: string,
): ScriptRun {
  return {
    key,
    command: formatCommand(command.argv),
    state,
    at,
    ok: result.ok,
    exit_code: result.exitCode,
    signal: result.signal,
    timed_out: result.timedOut,
    duration_ms: Math.round(result.duration),
    message,
    output: result.output,
  };
}

function warningsAbout(subjects: readonly NotifySubject[], rights: ScriptRights): string[] {
  const commands = subjects.flatMap(({ commands }) => Object.values(commands));
  const warnings = commands.flatMap(({ argv, user, place }) => {
    const account = permit(argv, { user: user ?? rights.user, security: rights.security });
    if (typeof account !== "string") return [];
    return [`${formatPlace(place)}: ${place.path}: warning: it will not be run: ${account}`];
  });
  const unnamed = commands.some(({ user }) => (user ?? rights.user) === undefined);
  if (unnamed && runsAsRootByDefault()) {
    warnings.push("scripts run as root: create the user viprd_script, or name a user in global.script_user");
  }
  return warnings;
}

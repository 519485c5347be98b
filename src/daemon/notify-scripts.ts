/** Runs the notify scripts: in order, one at a time for each instance and group, each as its user and within its time. */
import { setMaxListeners } from "node:events";
import type { VirtualServerNotify } from "../config/lvs-notify.ts";
import {
  type CommandKey,
  type CommandParameters,
  commandKeys,
  lvsCommandKeys,
  type NotifySubject,
} from "../config/notify.ts";
import { formatPlace } from "../config/problem.ts";
import { formatCommand } from "../scripts/command.ts";
import { permit, runsAsRootByDefault } from "../scripts/permit.ts";
import { describeResult, notRun, type RunResult } from "../scripts/result.ts";
import { Runner } from "../scripts/run.ts";
import type { Log } from "./log.ts";
import { lvsCommands } from "./notify-lvs.ts";
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
export interface ScriptJob {
  readonly kind: NotifySubjectStatus["kind"];
  readonly name: string;
  readonly state: NotifyState;
  /** In this order; without any, nobody is told. */
  readonly commands: readonly ScriptCommand[];
  readonly document: ReturnType<typeof newsDocument>;
  readonly rights: ScriptRights;
}

export interface ScriptCommand {
  readonly key: CommandKey;
  readonly command: CommandParameters;
  /** Behind those that are configured. */
  readonly arguments: readonly string[];
}

interface Record extends Pick<ScriptJob, "kind" | "name"> {
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
  readonly #queue = new NotifyQueue<ScriptJob>(mostAtOnce);
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
  configure(subjects: readonly NotifySubject[], lvs: readonly VirtualServerNotify[], rights: ScriptRights): string[] {
    this.#subjects = subjects;
    const names = new Set([
      ...subjects.map(keyOf),
      ...lvs.map(({ virtualServer }) => keyOf({ kind: "virtual_server", name: virtualServer })),
      ...lvs.flatMap(({ virtualServer, servers }) =>
        servers.map(({ name }) => keyOf({ kind: "real_server", name: `${name} of ${virtualServer}` })),
      ),
    ]);
    for (const key of this.#records.keys()) if (!names.has(key)) this.#records.delete(key);
    const commands = subjects.flatMap((subject) => Object.values(subject.commands));
    return warningsAbout([...commands, ...lvsCommands(lvs)], rights);
  }

  tell(news: News, subject: NotifySubject, background: Background, rights: ScriptRights): void {
    const { kind, name, state } = news;
    const document = newsDocument(news, background);
    this.run({ kind, name, state, commands: commandsFor(subject, news), document, rights });
  }

  run(job: ScriptJob): void {
    const key = keyOf(job);
    const overtaken = job.commands.length > 0 ? this.#queue.push(key, job) : this.#queue.drop(key);
    if (overtaken !== undefined) {
      this.#recordOf(job).skipped += 1;
      this.#log.warn(`notify is behind: ${keepalivedWord(overtaken.state)} is not told any more`, about(job));
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
    if (untold.length > 0)
      this.#log.error(`no time was left to tell what became of ${untold.join(", ")}`.slice(0, 400));
    await this.#runner.close(graceAtStop);
  }

  status(): NotifySubjectStatus[] {
    const ofVrrp = this.#subjects
      .filter(({ commands }) => Object.keys(commands).length > 0)
      .map((subject) => this.#recordOf(subject));
    const others = [...this.#records.values()].filter(({ kind }) => kind !== "instance" && kind !== "group");
    return [...ofVrrp, ...others].map((record) => {
      const { kind, name, told, running, skipped, runs, failures, last } = record;
      return {
        kind,
        name,
        told: told ?? null,
        running,
        waiting: this.#queue.waiting(keyOf(record))?.state ?? null,
        skipped,
        runs,
        failures,
        last: [...commandKeys, ...lvsCommandKeys].flatMap((key) => last.get(key) ?? []),
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
  async #work(job: ScriptJob): Promise<void> {
    const record = this.#recordOf(job);
    record.told = job.state;
    for (const each of job.commands) {
      const { key, command } = each;
      const at = new Date().toISOString();
      record.running = { key, state: job.state, since: at };
      const result = await this.#run(each, job);
      record.running = null;
      record.runs += 1;
      const message = describeResult(result, command.timeout);
      record.last.set(key, runOf(key, command, job.state, at, result, message));
      if (!result.ok) record.failures += 1;
      this.#report(each, job, result, message);
    }
  }

  async #run({ command, arguments: more }: ScriptCommand, job: ScriptJob): Promise<RunResult> {
    const { document, rights } = job;
    const account = permit(command.argv, { user: command.user ?? rights.user, security: rights.security });
    if (typeof account === "string") return notRun(account);
    const [program, ...rest] = command.argv;
    return await this.#runner.run({
      argv: [program, ...rest, ...more],
      account,
      environment: newsEnvironment(document),
      input: `${JSON.stringify(document)}\n`,
      timeout: command.timeout,
      ...(job.state === "stop" ? {} : { signal: this.#impatience.signal }),
    });
  }

  #report({ key, command }: ScriptCommand, job: ScriptJob, result: RunResult, message: string): void {
    const text = `${key} (${keepalivedWord(job.state)}): ${formatCommand(command.argv)} ${message}`;
    const output = result.output === "" ? {} : { output: result.output };
    if (result.ok) this.#log.debug(text, { ...about(job), ...output });
    else this.#log.error(text, { ...about(job), ...output });
  }

  #recordOf({ kind, name }: Pick<ScriptJob, "kind" | "name">): Record {
    const key = keyOf({ kind, name });
    const known = this.#records.get(key);
    if (known !== undefined) return known;
    const fresh = { kind, name, told: undefined, running: null, skipped: 0, runs: 0, failures: 0, last: new Map() };
    this.#records.set(key, fresh);
    return fresh;
  }
}

function about({ kind, name }: Pick<ScriptJob, "kind" | "name">): { readonly [kind: string]: string } {
  return { [kind]: name };
}

function commandsFor({ commands }: NotifySubject, news: News): ScriptCommand[] {
  const specific = `notify_${news.state}` as const;
  const of = (key: typeof specific | "notify", more: readonly string[]) => {
    const command = commands[key];
    return command === undefined ? [] : [{ key, command, arguments: more }];
  };
  return [...of(specific, []), ...of("notify", keepalivedArguments(news))];
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

function warningsAbout(commands: readonly CommandParameters[], rights: ScriptRights): string[] {
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

/**
 * The checks process: runs the health checks it is told of and reports when a verdict changes, and keeps the kernel's load
 * balancer by what they find. It may be slow, spawn and wait for others: nothing of VRRP is in here.
 */

import { HealthChecks, type NamedVerdict } from "../healthchecks/health-checks.ts";
import type { CheckStatus } from "../healthchecks/status.ts";
import type { LvsStatus } from "../lvs/status.ts";
import { partsOf } from "./checks-parts.ts";
import { liveAsChild } from "./child-life.ts";
import { LvsRole } from "./lvs-role.ts";
import type { ChecksQuestion, FromChecks, FromChild, ToChecks } from "./messages.ts";
import { Outbox } from "./outbox.ts";

/** Scripts that were told to end get two seconds before they are killed; then this process goes. */
const stopLimit = 4000;
const exitLimit = 500;

/** `runtimeDirectory` keeps notes for the next process; without one, it knows less. */
export function runChecksRole(runtimeDirectory?: string): void {
  if (process.send === undefined) {
    process.stderr.write("viprd internal checks: started by viprd run only\n");
    process.exitCode = 2;
    return;
  }
  new ChecksRole(runtimeDirectory).run();
}

class ChecksRole {
  readonly #outbox: Outbox<FromChild | FromChecks>;
  readonly #checks: HealthChecks;
  readonly #lvs: LvsRole;
  #tracked: ReadonlySet<string> = new Set();
  #unneeded: ReadonlySet<string> = new Set();
  #stopping = false;

  constructor(runtimeDirectory: string | undefined) {
    this.#outbox = new Outbox(() => void this.#tellAll());
    this.#checks = new HealthChecks(
      (verdict) => this.#found(verdict),
      (check, elapsed, ok) => this.#lvs.doubt(check, elapsed, ok),
    );
    this.#lvs = new LvsRole({
      event: (event) => this.#outbox.send({ type: "lvs-event", event }),
      log: (level, message) => this.#outbox.send({ type: "log", level, message }),
      rest: (checks) => this.#rest(checks, this.#tracked),
      ...(runtimeDirectory === undefined ? {} : { runtimeDirectory }),
    });
  }

  run(): void {
    liveAsChild<ToChecks>({
      role: "checks",
      obey: (message) => this.#obey(message),
      // Without the supervisor's word the table stays: it serves until the next process goes on with it.
      stop: (code) => void this.#stop(code, false),
      ready: () => this.#outbox.send({ type: "ready" }),
    });
  }

  #obey(message: ToChecks): void {
    if (this.#stopping) return;
    switch (message.type) {
      case "configure":
        if ("via" in message.parameters && message.parameters.via !== undefined) this.#await(message.parameters.name);
        this.#checks.configure(message.parameters, message.known);
        if (message.known !== undefined) this.#lvs.verdict({ check: message.parameters.name, ...message.known });
        break;
      case "remove":
        this.#checks.remove(message.name);
        this.#lvs.forget(message.name);
        break;
      case "lvs":
        this.#rest(this.#unneeded, new Set(message.tracked));
        this.#lvs.configure(message.parameters);
        break;
      case "lvs-again":
        this.#lvs.reread();
        break;
      case "admin":
        this.#lvs.admin(message.entries);
        break;
      case "instance":
        this.#lvs.instance(message.name, message.state);
        break;
      case "start":
        this.#checks.start();
        this.#lvs.start();
        this.#outbox.send({ type: "started" });
        break;
      case "status":
        void this.#answer(message.id, message.about);
        break;
      case "stop":
        void this.#stop(0, true);
        break;
      default:
        message satisfies never;
    }
  }

  /** A new one that goes through the balancer: the balancer says when it may. */
  #await(check: string): void {
    if (!this.#checks.has(check)) this.#rest(new Set([...this.#unneeded, check]), this.#tracked);
  }

  /** What virtual servers do not need, an instance may. */
  #rest(unneeded: ReadonlySet<string>, tracked: ReadonlySet<string>): void {
    this.#unneeded = unneeded;
    this.#tracked = tracked;
    this.#checks.rest(new Set([...unneeded].filter((check) => !tracked.has(check))));
  }

  #found(verdict: NamedVerdict): void {
    this.#lvs.verdict(verdict);
    this.#outbox.send({ type: "verdict", ...verdict });
  }

  /** Of thousands not all at once: runs that are due meanwhile begin in time. */
  async #answer(id: number, about: ChecksQuestion | undefined): Promise<void> {
    const lvs = about === undefined ? undefined : await this.#lvs.status(about.virtualServers);
    const checks = about?.checks === true ? this.#checks.status() : [];
    await this.#outbox.sendAll(statusMessages(id, checks, lvs));
    this.#outbox.send({ type: "status-end", id, lateness: this.#checks.lateness() });
  }

  /** Verdicts may be among the messages that a supervisor that stood still has missed. */
  #tellAll(): Promise<void> {
    return this.#outbox.sendAll(verdictMessages(this.#checks.verdicts()));
  }

  async #stop(code: number, inOrder: boolean): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const ends = Promise.all([this.#checks.stop(), this.#lvs.stop(inOrder)]);
    await Promise.race([ends, new Promise((resolve) => setTimeout(resolve, stopLimit))]);
    this.#outbox.exit({ type: "stopped" }, code, exitLimit);
  }
}

function* statusMessages(id: number, checks: Iterable<CheckStatus>, lvs: LvsStatus | undefined): Generator<FromChecks> {
  for (const part of partsOf(checks, lvs)) yield { type: "status", id, part };
}

function* verdictMessages(all: Iterable<NamedVerdict>): Generator<FromChecks> {
  for (const verdict of all) yield { type: "verdict", ...verdict };
}
